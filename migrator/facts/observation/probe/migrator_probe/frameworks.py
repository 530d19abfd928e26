"""Knows when an entry point begins and ends: routes, tasks, commands, threads."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

from . import tally


def _function_name(function: Any) -> str:
    """`module:qualname` of the innermost wrapped function."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    module = getattr(function, "__module__", "") or ""
    return "%s:%s" % (module, getattr(function, "__qualname__", ""))


def _stop_at(function: Any) -> None:
    """Above this frame goes on what has nothing to do with the entry point."""
    tally.boundaries.add(function.__code__)


def _handles(function: Any) -> None:
    """Below this frame runs the handler itself, and no hook."""
    tally.handling.add(function.__code__)


def _flask(module: Any) -> None:
    application = module.Flask
    wsgi_app, full_dispatch_request = application.wsgi_app, application.full_dispatch_request
    dispatch_request = application.dispatch_request

    @wraps(wsgi_app)
    def observed_wsgi_app(self: Any, environ: Any, start_response: Any) -> Any:
        token = tally.begin("unrouted", "")
        try:
            return wsgi_app(self, environ, start_response)
        finally:
            tally.end(token)

    def routed(application: Any) -> Any:
        """The request's entry point begins: the token of one that has no server around it."""
        try:
            from flask import request  # type: ignore[import-not-found,unused-ignore]

            if request.endpoint:
                view = application.view_functions.get(request.endpoint)
                view = getattr(view, "view_class", view)
                found = ("route", request.endpoint, _function_name(view))
                if tally.current().kind != "unrouted":
                    return tally.begin(*found)
                tally.rename(*found)
        except Exception:
            tally.failed("flask")
        return None

    @wraps(full_dispatch_request)
    def observed_dispatch(self: Any, *arguments: Any, **keywords: Any) -> Any:
        token = routed(self)
        try:
            return full_dispatch_request(self, *arguments, **keywords)
        finally:
            if token is not None:
                tally.end(token)

    @wraps(dispatch_request)
    def observed_handler(self: Any, *arguments: Any, **keywords: Any) -> Any:
        # A test that takes the steps of a request itself comes here first.
        token = routed(self) if tally.current().kind != "route" else None
        try:
            return dispatch_request(self, *arguments, **keywords)
        finally:
            if token is not None:
                tally.end(token)

    _stop_at(observed_wsgi_app)
    _stop_at(observed_dispatch)
    _stop_at(observed_handler)
    _handles(observed_handler)
    application.wsgi_app = observed_wsgi_app
    application.full_dispatch_request = observed_dispatch
    application.dispatch_request = observed_handler


def _werkzeug(module: Any) -> None:
    """A streamed answer is made after the application returned, still for its entry point."""
    iterator = module.ClosingIterator
    initialise, advance, close = iterator.__init__, iterator.__next__, iterator.close

    @wraps(initialise)
    def observed_init(self: Any, *arguments: Any, **keywords: Any) -> None:
        self._migrator_entry = tally.current()
        initialise(self, *arguments, **keywords)

    def within(method: Any) -> Any:
        @wraps(method)
        def observed(self: Any) -> Any:
            entry = getattr(self, "_migrator_entry", None)
            if entry is None or entry is tally.current():
                return method(self)
            token = tally.adopt(entry)
            try:
                return method(self)
            finally:
                tally.end(token)

        _handles(observed)
        _stop_at(observed)
        return observed

    iterator.__init__ = observed_init
    iterator.__next__ = within(advance)
    iterator.close = within(close)


def _click(module: Any) -> None:
    command = module.Command
    invoke = command.invoke

    @wraps(invoke)
    def observed_invoke(self: Any, ctx: Any) -> Any:
        callback = getattr(self, "callback", None)
        if callback is None:
            return invoke(self, ctx)
        path = ctx.command_path.split(" ", 1)
        token = tally.begin("command", path[-1], _function_name(callback))
        try:
            return invoke(self, ctx)
        finally:
            tally.end(token)

    _stop_at(observed_invoke)
    _handles(module.Context.invoke)
    command.invoke = observed_invoke


def _celery(module: Any) -> None:
    """By the signals that a worker and eager calls both send, inside the task's own context."""
    running: dict[str, Any] = {}

    def task_prerun(task_id: Any = None, task: Any = None, **_: Any) -> None:
        try:
            frame: Any = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_filename.endswith("trace.py"):
                    tally.boundaries.add(frame.f_code)
                    tally.handling.add(frame.f_code)
                    break
                frame = frame.f_back
            run = getattr(task, "run", None)
            running[task_id] = tally.begin("task", task.name, _function_name(run))
        except Exception:
            tally.failed("celery")

    def task_postrun(task_id: Any = None, **_: Any) -> None:
        token = running.pop(task_id, None)
        if token is not None:
            tally.end(token)

    module.task_prerun.connect(task_prerun, weak=False)
    module.task_postrun.connect(task_postrun, weak=False)


def _threads(module: Any) -> None:
    """A thread goes on for the entry point that started it."""
    start, bootstrap = threading.Thread.start, getattr(threading.Thread, "_bootstrap_inner", None)
    if bootstrap is None:
        return
    run_inner: Any = bootstrap

    @wraps(start)
    def observed_start(self: Any, *arguments: Any, **keywords: Any) -> None:
        self._migrator_entry = tally.current()
        start(self, *arguments, **keywords)

    @wraps(run_inner)
    def observed_bootstrap(self: Any) -> None:
        entry = self.__dict__.pop("_migrator_entry", None)
        if entry is None or entry is tally.current():
            run_inner(self)
            return
        token = tally.adopt(entry)
        try:
            run_inner(self)
        finally:
            tally.end(token)

    _handles(observed_bootstrap)
    _stop_at(observed_bootstrap)
    threading.Thread.start = observed_start  # type: ignore[method-assign]
    threading.Thread._bootstrap_inner = observed_bootstrap  # type: ignore[attr-defined]


def _thread_pool(module: Any) -> None:
    """A pool's threads outlive what started them: each piece of work carries its entry point."""
    submit = module.ThreadPoolExecutor.submit

    @wraps(submit)
    def observed_submit(self: Any, function: Any, /, *arguments: Any, **keywords: Any) -> Any:
        entry = tally.current()

        def work(*arguments: Any, **keywords: Any) -> Any:
            token = tally.adopt(entry)
            try:
                return function(*arguments, **keywords)
            finally:
                tally.end(token)

        _handles(work)
        _stop_at(work)
        return submit(self, work, *arguments, **keywords)

    module.ThreadPoolExecutor.submit = observed_submit


PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "threading": _threads,
    "concurrent.futures.thread": _thread_pool,
    "flask.app": _flask,
    "werkzeug.wsgi": _werkzeug,
    "click.core": _click,
    "celery.signals": _celery,
}
"""Module to what is done to it once it was imported."""

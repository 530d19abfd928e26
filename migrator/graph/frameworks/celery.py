"""Tasks: Celery, RQ, Dramatiq and Huey; schedules of Celery beat, APScheduler and `schedule`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site, StoreSite
from migrator.model.program import EntryKind, EntryPoint, StateFinding

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_MAKER = "celery:decorator"
_TASK = "celery:task"
_DECORATORS = frozenset({"task", "shared_task", "actor", "db_task", "job", "periodic_task"})
_ENQUEUES = frozenset(
    {
        "delay", "apply_async", "send", "send_with_options", "s", "si", "signature", "enqueue",
        "enqueue_in", "enqueue_at", "schedule", "apply", "queue",
    }
)  # fmt: skip
_QUEUE_METHODS = frozenset({"enqueue", "enqueue_call", "enqueue_in", "enqueue_at", "send_task"})
_TIMED = frozenset({"enqueue_in", "enqueue_at"})
_SIGNATURE = "celery:signature"
_SIGNATURES = frozenset({"s", "si", "signature"})
_BEAT = frozenset({"beat_schedule", "CELERYBEAT_SCHEDULE", "CELERY_BEAT_SCHEDULE"})
_CONFIGURED = frozenset({"on_after_configure", "on_after_finalize"})
_SCHEDULED = frozenset({"scheduled_job", "add_job", "on_after_configure", "add_periodic_task"})
_SCHEDULERS = ("flask_apscheduler.", "apscheduler.")


class Celery(Framework):
    """The plug-in: a task is an entry point; what enqueues it emits, and does not run it."""

    name = "celery"
    externals = (
        "celery",
        "rq",
        "dramatiq",
        "huey",
        "apscheduler",
        "flask_apscheduler",
        "flask_rq2",
        "schedule",
    )

    def __init__(self) -> None:
        self._found: dict[tuple[EntryKind, str], tuple[int, Site, str]] = {}
        self._beats: dict[tuple[str, int], Site] = {}
        """Entries of beat's schedule, by name and text of the task's name."""
        self._inside: dict[int, Site] = {}
        """Functions that a scheduler runs inside of every process that has the application."""

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            last = view.name.rsplit(".", 1)[-1]
            return self._decorator(engine, site, last) if last in _DECORATORS else None
        if view.kind == Kind.OPAQUE:
            if view.name == _MAKER:
                return self._decorated(engine, site, callee)
            function = view.parts[0]
            assert isinstance(function, int)
            arguments = self._arguments(engine, site, 0)
            return engine.points_to(engine.invoke(site, function, arguments))
        if view.kind != Kind.BOUND:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        receiver = engine.values.view(view.owner)
        if receiver.name == _TASK:
            if method in _ENQUEUES:
                self._enqueue(engine, site, view.owner, 0)
            elif method == "cron":
                self._add_task(engine, site, view.owner, site.text(1, "name") or "", "cron")
            return (engine.values.opaque(_SIGNATURE, view.owner),) if method in _SIGNATURES else ()
        if receiver.name == _SIGNATURE:
            return (view.owner,)
        if method == "connect" and _CONFIGURED & set(engine.values.name(view.function).split(".")):
            return self._configured(engine, site)
        if method == "update" and ".conf" in engine.values.name(view.function):
            for name in _BEAT & set(site.keywords):
                self._read_beat(engine, site, site.argument(-1, name))
            return None
        if method == "config_from_object":
            self._configuration(engine, site)
            return None
        name = engine.values.name(view.function)
        if method == "do" and name.startswith("schedule."):
            self._schedule_each(engine, site, site.argument(0, "job_func"), "", "schedule")
            return None
        if method == "task" and name.startswith(_SCHEDULERS):
            method = "scheduled_job"
        if method in _DECORATORS or method == "scheduled_job":
            return self._decorator(engine, site, method)
        if method in _QUEUE_METHODS:
            self._enqueue_function(engine, site, method)
            return None
        if method in _SCHEDULED:
            self._schedule(engine, site, method)
            return None
        return None

    def _decorator(self, engine: Engine, site: CallSite, which: str) -> Iterable[int]:
        functions = [each for each in site.argument(0) if engine.values.kind(each) == Kind.FUNCTION]
        name = site.text(-1, "name") or site.text(-1, "actor_name") or site.text(-1, "id") or ""
        trigger = site.text(0) or ""
        maker = engine.values.opaque(_MAKER, which, name, trigger, site.key)
        if functions or site.decorates:
            return [self._task(engine, site, maker, function) for function in functions]
        return (maker,)

    def _decorated(self, engine: Engine, site: CallSite, maker: int) -> list[int]:
        return [
            self._task(engine, site, maker, function)
            for function in site.argument(0)
            if engine.values.kind(function) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL)
        ]

    def _task(self, engine: Engine, site: CallSite, maker: int, function: int) -> int:
        which, name, trigger, _ = engine.values.view(maker).parts
        scheduled = which in {"scheduled_job", "periodic_task"}
        if which == "scheduled_job":
            self._inside[function] = site
        self._add(
            engine, site, function, "schedule" if scheduled else "task", str(name), str(trigger)
        )
        return engine.values.opaque(_TASK, function, name)

    def _add(
        self,
        engine: Engine,
        site: CallSite,
        function: int,
        kind: EntryKind,
        name: str,
        trigger: str,
    ) -> None:
        self.seen = True
        self._found[(kind, name or engine.name_of(function))] = (function, site, trigger)
        engine.invoke(site, function, [], edge=False)

    def _arguments(self, engine: Engine, site: CallSite, start: int) -> list[int]:
        found = []
        for position in range(start, site.positional):
            variable = site.argument_variable(position)
            found.append(variable if variable is not None else engine.slot("celery", "nothing"))
        return found

    def _enqueue(self, engine: Engine, site: CallSite, task: int, start: int) -> None:
        function, name = engine.values.view(task).parts[:2]
        assert isinstance(function, int)
        site.effect("emit", str(name) or engine.name_of(function), via="enqueue")
        engine.invoke(site, function, self._arguments(engine, site, start), edge=False)

    def _enqueue_function(self, engine: Engine, site: CallSite, method: str) -> None:
        """RQ: `queue.enqueue(function, ...)`, or the function's dotted name."""
        start = 1 if method in _TIMED else 0
        functions = list(site.argument(start, "func"))
        for text in site.texts(start, "f"):
            functions += engine.resolve(text)
        for text in site.texts(0, "name") if method == "send_task" else ():
            site.effect("emit", text, via="enqueue")
        for text in _names(engine, functions):
            functions += [
                each for each in engine.resolve(text) if engine.values.kind(each) == Kind.FUNCTION
            ]
        for function in functions:
            if engine.values.name(function) == _TASK:
                self._enqueue(engine, site, function, start + 1)
            elif engine.values.kind(function) == Kind.FUNCTION:
                self._add(engine, site, function, "task", "", "")
                site.effect("emit", engine.name_of(function), via="enqueue")
                arguments = self._arguments(engine, site, start + 1)
                engine.invoke(site, function, arguments, edge=False)

    def _schedule(self, engine: Engine, site: CallSite, method: str) -> None:
        """`scheduler.add_job(function, trigger)`, `sender.add_periodic_task(30, task.s())`."""
        if method == "add_periodic_task":
            for signature in site.argument(1, "sig"):
                if engine.values.name(signature) == _SIGNATURE:
                    task = int(str(engine.values.view(signature).parts[0]))
                    self._add_task(engine, site, task, site.text(-1, "name") or "", "beat")
        elif method == "add_job":
            trigger = site.text(1, "trigger") or ""
            functions = site.argument(0, "func")
            self._inside.update(dict.fromkeys(functions, site))
            self._schedule_each(engine, site, functions, site.text(-1, "id") or "", trigger)

    def _schedule_each(
        self, engine: Engine, site: CallSite, functions: Iterable[int], name: str, trigger: str
    ) -> None:
        for function in functions:
            if engine.values.kind(function) in (Kind.FUNCTION, Kind.BOUND):
                self._add(engine, site, function, "schedule", name, trigger)

    def _add_task(self, engine: Engine, site: CallSite, task: int, name: str, trigger: str) -> None:
        """A task that is scheduled too, by a name of its own if it has one."""
        function, named = engine.values.view(task).parts[:2]
        assert isinstance(function, int)
        name = name or str(named) or engine.name_of(function)
        self._add(engine, site, function, "schedule", name, trigger)

    # -- beat -------------------------------------------------------------------------------------

    def _configured(self, engine: Engine, site: CallSite) -> tuple[int, ...]:
        """`@app.on_after_configure.connect`: the function gets the application."""
        sender = engine.slot("celery", "application")
        engine.add(sender, engine.values.external_instance("celery.Celery"))
        for function in site.argument(0):
            engine.invoke(site, function, [sender], edge=False)
        return site.argument(0)

    def _configuration(self, engine: Engine, site: CallSite) -> None:
        """`app.config_from_object("package.celeryconfig")`."""
        for value in site.argument(0, "obj"):
            text = engine.values.text(value)
            for owner in engine.resolve(text) if text else (value,):
                if engine.values.kind(owner) in (Kind.MODULE, Kind.CLASS, Kind.INSTANCE):
                    for name in sorted(_BEAT):
                        held = engine.points_to(engine.attribute(site, owner, name))
                        self._read_beat(engine, site, held)

    def _read_beat(self, engine: Engine, site: Site, values: Iterable[int]) -> None:
        for value in values:
            if engine.values.kind(value) != Kind.CONTAINER:
                continue
            for name in engine.keys(value):
                for entry in engine.points_to(engine.item(site, value, name)):
                    for task in engine.points_to(engine.item(site, entry, "task")):
                        self._beats[str(name), task] = site

    def store(
        self, engine: Engine, site: StoreSite, receiver: int, name: str, base: int
    ) -> bool | None:
        if name in _BEAT:
            self._read_beat(engine, site, engine.points_to(site.variable))
        return None

    def _add_beats(self, engine: Engine) -> None:
        """An entry point for each entry of the schedule whose task is known."""
        for (name, task), site in self._beats.items():
            text = engine.values.text(task) or ""
            known = self._found.get(("task", text))
            if known is not None:
                self._found["schedule", name] = (known[0], site, text)

    # -- results ----------------------------------------------------------------------------------

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        if view.name == _TASK and name in {"run", "__wrapped__", "fn"}:
            function = view.parts[0]
            return (function,) if isinstance(function, int) else None
        return None

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        self._add_beats(engine)
        for (kind, name), (function, site, trigger) in self._found.items():
            file, line, _ = engine.file_of(function)
            full = f"{kind}:{name}"
            analysis.program.entry_points[full] = EntryPoint(
                name=full,
                kind=kind,
                handler=engine.name_of(function),
                file=file or site.file,
                line=line or site.line,
                framework="celery",
                trigger=trigger or name,
            )
            analysis.handlers[full] = (function,)
            if kind == "schedule" and function in self._inside:
                job = engine.name_of(function)
                analysis.program.state.append(
                    StateFinding(
                        kind="job",
                        name=job,
                        file=file or site.file,
                        line=line or site.line,
                        detail=f"a scheduler of the process runs it: {trigger or name}",
                        writers=(job,),
                        readers=(job,),
                    )
                )


def _names(engine: Engine, values: Iterable[int]) -> list[str]:
    return [text for value in values if (text := engine.values.text(value)) and "." in text]

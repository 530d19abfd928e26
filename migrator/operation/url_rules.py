"""Prints the URL rules of a Flask application as JSON, each with the code that answers it.

Runs in the monolith's environment, on its interpreter (Python 3.8 on) and without migrator:
standard library only. Arguments: `package.module:attribute` and the file to write to.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
from typing import Any


def code_of(view: Any) -> Any:
    """The function or class that a person wrote for a view."""
    while True:
        inner = getattr(view, "view_class", None) or getattr(view, "__wrapped__", None)
        if inner is None and isinstance(view, functools.partial):
            inner = view.func
        if inner is None and inspect.ismethod(view):
            owner = view.__self__
            inner = owner if inspect.isclass(owner) else type(owner)
        if inner is None:
            return view
        view = inner


def place_of(view: Any) -> tuple[str, int]:
    """File and line; an empty name where there is no source."""
    try:
        return inspect.getsourcefile(view) or "", inspect.getsourcelines(view)[1]
    except (TypeError, OSError):
        return "", 0


def main(target: str, output: str) -> None:
    name, _, attribute = target.partition(":")
    module = importlib.import_module(name)
    application = eval("module." + attribute, {"module": module})
    assert callable(application), "it is no WSGI application: it cannot be called"
    rules = []
    url_map = getattr(application, "url_map", None)
    for rule in url_map.iter_rules() if url_map is not None else ():
        view = application.view_functions.get(rule.endpoint)
        file, line = place_of(code_of(view))
        rules.append({"rule": rule.rule, "endpoint": rule.endpoint, "file": file, "line": line})
    with open(output, "w", encoding="utf-8") as stream:
        json.dump(rules, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])

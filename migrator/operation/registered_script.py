"""Writes what an application has registered as JSON: its URL rules and its mapped classes.

Each with the place of its code; of a page that describes the whole API also what it says.

Runs in the monolith's environment, on its interpreter (Python 3.8 on) and without migrator:
standard library only. Arguments: `package.module:attribute` and the file to write to.
"""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import json
import os
import sys
import types
from typing import Any

PRIVATE = ".migrator"
ADDRESS = "http://description.invalid"
"""Stands in what is written for the address at which the application is asked."""


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


def is_own(file: str) -> bool:
    """Whether a file is the project's, in whose folder this runs: its environment is not."""
    here = os.path.join(os.getcwd(), "")
    return file.startswith(here) and os.path.join(here, PRIVATE, "") not in file


def description(application: Any, rule: Any) -> str:
    """The OpenAPI or Swagger document that a page without parameters answers with; else nothing."""
    if rule.arguments or "GET" not in (rule.methods or ()):
        return ""
    try:
        answer = application.test_client().get(rule.rule, base_url=ADDRESS)
        said = json.loads(answer.get_data(as_text=True))
    except Exception:
        # A page may do anything but answer, on a database that is empty: then it tells nothing.
        return ""
    known = isinstance(said, dict) and {"openapi", "swagger"} & set(said) and "paths" in said
    return json.dumps(said, indent=2, ensure_ascii=False) if known else ""


def url_rules(application: Any) -> list[dict[str, Any]]:
    """The rules of a Flask application, each with the code that answers it."""
    found = []
    url_map = getattr(application, "url_map", None)
    for rule in url_map.iter_rules() if url_map is not None else ():
        view = application.view_functions.get(rule.endpoint)
        file, line = place_of(code_of(view))
        told = "" if is_own(file) else description(application, rule)
        found.append(
            {
                "rule": rule.rule,
                "endpoint": rule.endpoint,
                "file": file,
                "line": line,
                "description": told,
            }
        )
    return found


def mapped_classes() -> list[dict[str, Any]]:
    """The classes that SQLAlchemy has mapped to tables, whoever declared them."""
    orm = sys.modules.get("sqlalchemy.orm")
    mapper = getattr(orm, "Mapper", None) or getattr(orm, "mapper", None)
    found = []
    # Registries differ between versions, and there may be several: mappers are what they hold.
    # `type()`, since `isinstance` would make a proxy look for an object that is not there yet.
    for each in gc.get_objects() if mapper is not None else ():
        if type(each) is not mapper:
            continue
        table = getattr(each.local_table, "fullname", None)
        if table:
            file, line = place_of(each.class_)
            name = each.class_.__module__ + "." + each.class_.__qualname__
            found.append({"name": name, "table": table, "file": file, "line": line})
    return sorted(found, key=lambda each: each["name"])


def inner_functions() -> list[str]:
    """The project's functions that other functions have defined and that somebody holds on to."""
    gc.collect()
    found = set()
    for each in gc.get_objects():
        if type(each) is not types.FunctionType or "<locals>" not in each.__qualname__:
            continue
        if is_own(each.__code__.co_filename):
            found.add(f"{each.__module__}.{each.__qualname__}".replace(".<locals>", ""))
    return sorted(found)


def main(target: str, output: str) -> None:
    name, _, attribute = target.partition(":")
    module = importlib.import_module(name)
    application = eval("module." + attribute, {"module": module})
    if not callable(application):
        sys.exit(f"{target} is {repr(application)[:200]}, no WSGI application")
    registered = {
        "rules": url_rules(application),
        "classes": mapped_classes(),
        "inner_functions": inner_functions(),
    }
    with open(output, "w", encoding="utf-8") as stream:
        json.dump(registered, stream)


if __name__ == "__main__":
    # The folder of this script is no place to import from: an application may be called as a
    # module that lies beside it.
    sys.path.pop(0)
    main(*sys.argv[1:])
    # Threads that the application started would keep this process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

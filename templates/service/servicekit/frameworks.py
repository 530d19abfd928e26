"""The web framework of the monolith: one module of servicekit each, found through this table."""

from __future__ import annotations

import importlib
from typing import Any

from servicekit.settings import settings

FRAMEWORKS = {"flask": "servicekit.flask"}


def glue() -> Any:
    """The module for this service's framework.

    It has `load(reference)` -> application with `wsgi`, `endpoint_of(environ)`,
    `foreign_service(endpoint, method)` and `context(captured, codec)`; `capture(names, codec)`;
    and `watch()` for processes that load the application by themselves.
    """
    name = settings().manifest.get("framework", "flask")
    if name not in FRAMEWORKS:
        raise LookupError("framework %s; supported: %s" % (name, ", ".join(sorted(FRAMEWORKS))))
    return importlib.import_module(FRAMEWORKS[name])

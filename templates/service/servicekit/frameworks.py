"""The web framework of the monolith: one module of servicekit each, found through this table."""

from __future__ import annotations

import importlib
from typing import Any

from servicekit import state
from servicekit.replicas import replicas
from servicekit.settings import settings

FRAMEWORKS = {"flask": "servicekit.flask"}


def load() -> Any:
    """The application of the manifest, made.

    Not before there are copies of what it may read while it is made; what it does to shared state
    shows when it is ready.
    """
    replicas().wait_for_copies()
    with state.at_once():
        return glue().load(settings().manifest["application"])


def glue() -> Any:
    """The module for this service's framework.

    It has `load(reference)` -> application with `wsgi`, `begin(environ)`, `endpoint_of(environ)`,
    `foreign_service(endpoint, method)` and `context(captured, codec)`; `capture(names, codec)`;
    and `watch()` for processes that load the application by themselves.
    """
    name = settings().manifest.get("framework", "flask")
    if name not in FRAMEWORKS:
        raise LookupError("framework %s; supported: %s" % (name, ", ".join(sorted(FRAMEWORKS))))
    return importlib.import_module(FRAMEWORKS[name])

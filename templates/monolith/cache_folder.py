"""Flask-Caching's stores on disk lie with the data of the running monolith, not in its sources.

What one run remembers would be found by the next, whose database is another. Standard library only;
runs in the monolith's own environment, on Python 3.8 or later, beside servicekit's `on_import`.
"""

from __future__ import annotations

import os
from typing import Any, Dict

from _instance_data.on_import import after_import

_ON_DISK = {"filesystem", "filesystemcache"}


def install_from_environment() -> None:
    """Lead stores below the folder that CACHE_FOLDER names; nothing without it."""
    folder = os.environ.get("CACHE_FOLDER", "")
    if folder:
        after_import("flask_caching", lambda module: _lead(module, folder))


def _lead(module: Any, folder: str) -> None:
    original = module.Cache._set_cache

    def set_cache(self: Any, app: Any, config: Dict[str, Any]) -> Any:
        if str(config.get("CACHE_TYPE") or "").rpartition(".")[2].lower() in _ON_DISK:
            name = os.path.basename(os.path.normpath(str(config.get("CACHE_DIR") or "store")))
            config = dict(config, CACHE_DIR=os.path.join(folder, name))
            os.makedirs(config["CACHE_DIR"], exist_ok=True)
        return original(self, app, config)

    module.Cache._set_cache = set_cache

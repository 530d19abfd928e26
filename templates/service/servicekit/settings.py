"""The environment and the manifest of this service, read once."""

from __future__ import annotations

import functools
import json
import os
from typing import Any, Dict, Mapping, Optional


class Settings:
    """Values only. `manifest` is `service.json` as plain JSON; `peers`: {service: {kind: url}}."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.manifest_path = os.path.abspath(environ.get("SERVICE_MANIFEST", "service.json"))
        with open(self.manifest_path, encoding="utf-8") as stream:
            self.manifest: Dict[str, Any] = json.load(stream)
        self.name: str = environ.get("SERVICE_NAME") or self.manifest["name"]
        self.data = os.path.abspath(environ.get("SERVICE_DATA", "data"))
        self.files = os.path.abspath(environ.get("SERVICE_FILES") or self.data)
        """The application's `{data}`."""
        self.folders = os.path.abspath(
            environ.get("SERVICE_FOLDERS") or os.path.join(self.data, "folders")
        )
        """What it shares with siblings, each path below it."""
        self.migrations = os.path.join(os.path.dirname(self.manifest_path), "migrations")
        self.peers: Dict[str, Dict[str, str]] = json.loads(environ.get("SERVICE_PEERS") or "{}")
        self.credential = environ.get("SERVICE_CREDENTIAL", "")
        self.public_url = environ.get("SERVICE_PUBLIC_URL", "")
        self.host = environ.get("SERVICE_HOST", "127.0.0.1")
        self.port = int(environ.get("SERVICE_PORT", "8000"))
        self.instance = environ.get("SERVICE_INSTANCE", "web-1")
        self.threads = int(environ.get("SERVICE_THREADS", "8"))
        self.grace = int(environ.get("SERVICE_GRACE", "10"))
        self.call_deadline = float(environ.get("SERVICE_CALL_DEADLINE", "10"))
        self.feed_timeout = float(environ.get("SERVICE_FEED_TIMEOUT", "0.5"))
        self.log_level = environ.get("SERVICE_LOG_LEVEL", "INFO").upper()

    def file(self, name: str) -> str:
        """The path of one of the service's own files (`service.db`, `replicas.db`, `state.db`)."""
        return os.path.join(self.data, name)

    def part(self, name: str) -> Dict[str, Any]:
        """A dictionary of the manifest, empty when it is left out."""
        found: Optional[Dict[str, Any]] = self.manifest.get(name)
        return found if found is not None else {}

    def replicas_of(self, owner: str) -> Dict[str, Any]:
        """The tables of one owner that this service holds copies of."""
        return {t: r for t, r in self.part("replicas").items() if r["owner"] == owner}

    def owners(self) -> Dict[str, None]:
        """The owners of all replicas, in order of the manifest."""
        return {replica["owner"]: None for replica in self.part("replicas").values()}


@functools.lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings(os.environ)

"""The distributions that are installed in the monolith's environment. Values only."""

from __future__ import annotations

import msgspec


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """One installed distribution, from its own metadata (`importlib.metadata`)."""

    name: str
    version: str
    imports: tuple[str, ...] = ()
    """Its importable top-level names."""
    requires: tuple[str, ...] = ()
    """`Requires-Dist` lines, with extras and markers."""
    scripts: tuple[str, ...] = ()
    """Names of its console scripts."""
    plugs_into: tuple[str, ...] = ()
    """Groups of its other entry points: `sqlalchemy.dialects`, `flask.commands`."""
    loads: tuple[str, ...] = ()
    """Top-level names that its modules import as they are loaded, whether it says so or not."""
    url: str = ""
    """Where it came from when that was no index (`direct_url.json`)."""


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """The monolith's environment."""

    python: str
    """Path of its interpreter."""
    version: str
    """The interpreter's version, as in `3.11.7`."""
    distributions: tuple[Distribution, ...] = ()

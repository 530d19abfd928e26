"""The database as the monolith's own migrations and seed make it. Values only."""

from __future__ import annotations

import msgspec


class SchemaObject(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `sqlite_master`, to the letter; objects that SQLite makes by itself are left out."""

    type: str
    """`table`, `index`, `trigger` or `view`."""
    name: str
    table: str
    """The table that an index or trigger belongs to; a table's or view's own name."""
    sql: str


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """A whole schema, in the order in which its objects were made, and what its rows need."""

    objects: tuple[SchemaObject, ...] = ()
    pickled: dict[str, tuple[str, ...]] = {}
    """Tables to the dotted classes and functions that pickled values in their rows name."""

"""The rich format of a graph of classes, as JSON holds it. Values only."""

from __future__ import annotations

import msgspec


class Use(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That one class calls or uses another."""

    caller: str = msgspec.field(name="from")
    callee: str = msgspec.field(name="to")
    count: float = 1.0
    """Calls that were observed, or places in the code; at least 1."""


class TableUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which classes use a table, and how often."""

    writers: dict[str, float] = {}
    readers: dict[str, float] = {}
    references: list[str] = []
    """Tables that its foreign keys lead to."""


class TransactionUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tables that are committed together, and the classes that take part."""

    name: str = ""
    tables: list[str] = []
    classes: list[str] = []
    count: float = 1.0


class RouteUse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A path that the application answers, and the classes that answer it."""

    path: str
    classes: list[str]


class ClassGraph(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program as classes and what they do; all parts may be missing."""

    version: int = 1
    classes: list[str] = []
    """Classes that nothing else here names."""
    calls: list[Use] = []
    uses: list[Use] = []
    """Imports, inheritance, fields: what is no call."""
    tables: dict[str, TableUse] = {}
    transactions: list[TransactionUse] = []
    routes: list[RouteUse] = []

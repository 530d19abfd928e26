"""What places in the code do to models and tables, kept until the whole mapping is known."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from migrator.graph.effects.mapping import SCANNED, Mapping, Touched
from migrator.graph.effects.sql import looks_like_sql, read_sql
from migrator.graph.protocol import Engine, Site
from migrator.model.program import Operation

Deed = Literal[
    "read", "mention", "load", "insert", "set", "update", "relate", "delete", "row-update",
    "row-delete",
]  # fmt: skip
"""`set`: an attribute of an object that is being made; what its table gets, an `insert` says."""


class Fact(NamedTuple):
    """`deed` done to a class or table value; `attribute` where one is concerned."""

    deed: Deed
    subject: int
    attribute: str
    via: str


_WRITTEN_ROWS = frozenset({"query.delete", "query.update"})


@dataclass
class Facts:
    """Facts by place, and where transactions end."""

    places: dict[Hashable, tuple[Site, dict[Fact, None]]] = field(default_factory=dict)
    sql: dict[Hashable, tuple[Site, dict[str, None]]] = field(default_factory=dict)
    ends: dict[Hashable, tuple[Site, str]] = field(default_factory=dict)
    linked: set[int] = field(default_factory=set)
    uses: dict[Hashable, tuple[Site, dict[int, None]]] = field(default_factory=dict)
    """Where attributes of instances are read, with the instances' classes."""
    expire: bool = True
    """Whether a commit expires instances, so that their attributes are read again."""

    def note(
        self, site: Site, deed: Deed, subject: int, attribute: str = "", via: str = ""
    ) -> None:
        """Remember a deed of this place; the same twice is one."""
        known = self.places.setdefault(site.key, (site, {}))[1]
        known[Fact(deed, subject, attribute, via)] = None

    def done(self) -> Iterator[tuple[Site, Fact, bool]]:
        """All deeds, with their places, and whether they are part of a statement that writes.

        `Note.query.filter(Note.old).delete()` is one statement, and reads no rows of its table.
        """
        writes: dict[tuple[str, int], list[Site]] = {}
        for site, facts in self.places.values():
            for fact in facts:
                if fact.via in _WRITTEN_ROWS:
                    writes.setdefault((site.variant, fact.subject), []).append(site)
        for site, facts in self.places.values():
            for fact in facts:
                statements = writes.get((site.variant, fact.subject), ())
                yield site, fact, any(_holds(each, site) for each in statements)

    def use(self, site: Site, class_: int) -> None:
        """An attribute of an instance of the class is read here."""
        self.uses.setdefault(site.key, (site, {}))[1][class_] = None

    def run_sql(self, site: Site, text: str) -> None:
        """A SQL text is executed at this place."""
        if looks_like_sql(text):
            self.sql.setdefault(site.key, (site, {}))[1][text] = None

    def end(self, site: Site, kind: Literal["commit", "rollback", "flush", "begin"]) -> None:
        """A transaction is committed, rolled back, flushed or begun here."""
        self.ends[(site.key, kind)] = (site, kind)


def _holds(outer: Site, inner: Site) -> bool:
    """Whether an expression is the other or a part of it."""
    return (outer.line, outer.column) <= (inner.line, inner.column) and inner.end <= outer.end


def sql_touches(text: str, mapping: Mapping, via: str) -> list[Touched]:
    """What a SQL text touches, by the names under which tables are declared."""
    found = []
    for access in read_sql(text).accesses:
        table = mapping.table_named(access.table)
        operation: Operation = access.operation
        how = SCANNED if access.scanned else via
        found.append(Touched(access.kind, table, operation, access.columns, how))
        if operation == "delete":
            found += mapping.delete_rows(table, "")
    return found


class Touches:
    """Turns facts into touched tables, once the mapping is known."""

    def __init__(self, engine: Engine, mapping: Mapping, tables: dict[int, str]) -> None:
        self.engine = engine
        self.mapping = mapping
        self.tables = tables

    def of(self, fact: Fact, within: bool) -> list[Touched]:
        """The tables that a fact touches, perhaps `within` a statement that writes its subject."""
        touched = self._of(fact)
        if not within or fact.deed not in ("read", "mention"):
            return touched
        model = self.engine.values.name(fact.subject)
        own = self.tables.get(fact.subject)
        written = {own} if own is not None else {*self.mapping.all_tables(model)}
        return [each for each in touched if each.table not in written]

    def _of(self, fact: Fact) -> list[Touched]:
        table = self.tables.get(fact.subject)
        if table is not None:
            return self._of_table(fact, table)
        if fact.deed == "set":
            return []
        model = self.engine.values.name(fact.subject)
        mapping = self.mapping
        if fact.deed == "read":
            columns = (fact.attribute,) if fact.attribute else ()
            return mapping.read(model, columns, fact.via)
        if fact.deed == "mention":
            return mapping.mention(model, fact.attribute, fact.via)
        if fact.deed == "load":
            return mapping.load(model, fact.attribute, fact.via)
        if fact.deed == "insert":
            return mapping.insert(model, fact.via)
        if fact.deed == "update":
            return mapping.update(model, fact.attribute, fact.via)
        if fact.deed == "relate":
            return mapping.relate(model, fact.attribute, fact.via)
        if fact.deed == "delete":
            return mapping.delete(model, fact.via)
        found = []
        for name in mapping.all_tables(model):
            found += self._of_table(fact, name)
        return found

    def _of_table(self, fact: Fact, table: str) -> list[Touched]:
        if fact.deed in ("read", "mention", "load"):
            columns = (fact.attribute,) if fact.attribute else ()
            return [Touched("read", table, "", columns, fact.via)]
        if fact.deed == "insert":
            return [Touched("write", table, "insert", (), fact.via)]
        if fact.deed in ("update", "row-update", "relate"):
            return [Touched("write", table, "update", (), fact.via)]
        found = [Touched("write", table, "delete", (), fact.via)]
        return found + self.mapping.delete_rows(table, "")

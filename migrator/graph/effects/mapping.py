"""What an object-relational mapping means: which tables a model's reads, writes and deletes touch.

Plain facts go in (`ModelFact`, `RelationFact`, `TableFact`); no framework is known here. The rules
are SQLAlchemy's: a delete nulls or deletes the rows of one-to-many children, deletes the rows of
secondary tables, and follows `ON DELETE` in the database.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from migrator.model.program import Column, Operation

ADDS = frozenset({"append", "add", "insert", "extend", "prepend", "add_all", "constructor"})
"""Ways of changing a collection that only put something into it."""
REMOVES = frozenset({"remove", "discard", "pop", "clear", "difference_update"})
"""Those that only take something out."""

SCANNED = "sql keywords"
"""How a table is known that keywords alone tell of a statement which no dialect parses: likely."""

Direction = Literal["many-to-one", "one-to-many", "many-to-many", "unknown"]


@dataclass
class TableFact:
    """A table with its columns; keys of constraints over several columns in `references`."""

    name: str
    file: str = ""
    line: int = 0
    columns: list[Column] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    """(referred table, ON DELETE) of every foreign key."""


@dataclass
class RelationFact:
    """One side of a relationship, as written or as a `backref` makes it."""

    name: str
    target: str
    many: bool | None = None
    secondary: str = ""
    cascades: tuple[str, ...] = ("save-update", "merge")
    passive_deletes: bool = False
    view_only: bool = False
    eager: bool = False
    remote_side: bool = False
    """Whether `remote_side` is given: on a self-reference it makes this side many-to-one."""
    keys_in: str = ""
    """The model of the two that has the foreign keys, where `foreign_keys` says so."""
    back_populates: str = ""
    direction: Direction = "unknown"
    line: int = 0


@dataclass
class ModelFact:
    """A mapped class: `table` is its own, or empty for single-table inheritance."""

    name: str
    table: str = ""
    parents: list[str] = field(default_factory=list)
    """Mapped classes that it inherits from, nearest first."""
    relations: dict[str, RelationFact] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    """Column attributes: the attribute's name to the column's."""
    computed: dict[str, list[str]] = field(default_factory=dict)
    """Attributes that are SQL expressions, loaded with the row, to the tables that they read."""
    stamped: bool = False
    """Whether its row keeps when it changed: also where only a collection of it did."""


class Touched(NamedTuple):
    """A table that something touches, and why."""

    kind: Literal["read", "write"]
    table: str
    operation: Operation = ""
    columns: tuple[str, ...] = ()
    via: str = ""


class Mapping:
    """The models and tables of a program, with what follows from them."""

    def __init__(self, models: dict[str, ModelFact], tables: dict[str, TableFact]) -> None:
        self.models = models
        self.tables = tables
        self.companions: dict[str, tuple[Touched, ...]] = {}
        """Tables to what a package touches whenever the mapper writes one of their rows."""
        self._by_folded = {name.lower(): name for name in tables}
        bare = Counter(name.lower().rpartition(".")[2] for name in tables)
        for name in tables:
            if bare[short := name.lower().rpartition(".")[2]] == 1:
                self._by_folded.setdefault(short, name)
        self._children: dict[str, list[str]] = {}
        for model in models.values():
            for parent in model.parents:
                self._children.setdefault(parent, []).append(model.name)
        self._referring: dict[str, list[tuple[str, str]]] = {}
        for table in tables.values():
            for referred, on_delete in table.references:
                self._referring.setdefault(referred, []).append((table.name, on_delete))
        for model in models.values():
            for relation in model.relations.values():
                relation.direction = self._direction(model, relation)

    def accompanied(self, touched: Iterable[Touched]) -> list[Touched]:
        """What is touched, with what packages touch then."""
        found = list(touched)
        for each in tuple(found):
            if each.kind == "write":
                found += self.companions.get(each.table, ())
        return found

    # -- names ------------------------------------------------------------------------------------

    def table_named(self, name: str) -> str:
        """The declared table that a SQL text means by `name`, else the name as it stands."""
        return self._by_folded.get(name.lower(), name)

    def own_tables(self, model: str) -> list[str]:
        """The tables that hold a model's row: its own and those of its parents."""
        found = []
        for name in (model, *self._fact(model).parents):
            table = self._fact(name).table
            if table and table not in found:
                found.append(table)
        return found

    def all_tables(self, model: str) -> list[str]:
        """`own_tables`, and those of subclasses: an instance may be of any of them."""
        found = self.own_tables(model)
        for child in self._descendants(model):
            found += [table for table in self.own_tables(child) if table not in found]
        return found

    def relation(self, model: str, name: str) -> RelationFact | None:
        """The relationship of that name of a model, its parents or its subclasses."""
        for each in (model, *self._fact(model).parents, *self._descendants(model)):
            relation = self._fact(each).relations.get(name)
            if relation is not None:
                return relation
        return None

    def column(self, model: str, attribute: str) -> str | None:
        """The column behind an attribute of a model, or None."""
        for each in (model, *self._fact(model).parents, *self._descendants(model)):
            column = self._fact(each).attributes.get(attribute)
            if column is not None:
                return column
        return None

    def _fact(self, model: str) -> ModelFact:
        return self.models.get(model) or ModelFact(model)

    def _descendants(self, model: str) -> list[str]:
        return self._children.get(model, [])

    def _table_with(self, model: str, column: str) -> list[str]:
        """The tables among a model's that have the column; all of them where none is known to."""
        tables = self.all_tables(model)
        having = [
            table
            for table in tables
            if any(each.name == column for each in self.tables[table].columns)
        ]
        return having or tables

    def _direction(self, model: ModelFact, relation: RelationFact) -> Direction:
        if relation.secondary:
            return "many-to-many"
        own = set(self.own_tables(model.name))
        target = set(self.own_tables(relation.target))
        forward = any(ref in target for table in own for ref, _ in self._references(table))
        backward = any(ref in own for table in target for ref, _ in self._references(table))
        if own & target:
            many = relation.many if relation.many is not None else not relation.remote_side
            return "many-to-one" if relation.remote_side or not many else "one-to-many"
        if forward and backward and relation.keys_in in (model.name, relation.target):
            return "many-to-one" if relation.keys_in == model.name else "one-to-many"
        if forward and backward and relation.many is not None:
            return "one-to-many" if relation.many else "unknown"
        if forward != backward:
            return "many-to-one" if forward else "one-to-many"
        return "unknown"

    def _references(self, table: str) -> list[tuple[str, str]]:
        fact = self.tables.get(table)
        return fact.references if fact is not None else []

    # -- effects ----------------------------------------------------------------------------------

    def read(self, model: str, columns: tuple[str, ...] = (), via: str = "") -> list[Touched]:
        """A row of the model is loaded, with all that is loaded along with it."""
        found: dict[tuple[str, str], Touched] = {}
        work = [(model, columns, via)]
        done = set()
        while work:
            name, named, how = work.pop()
            if name in done:
                continue
            done.add(name)
            for table in self.all_tables(name):
                found.setdefault(("read", table), Touched("read", table, "", named, how))
            for owner in (name, *self._fact(name).parents, *self._descendants(name)):
                for attribute, tables in self._fact(owner).computed.items():
                    how = f"computed {_short(owner)}.{attribute}"
                    for table in tables:
                        found.setdefault(("read", table), Touched("read", table, "", (), how))
                for relation in self._fact(owner).relations.values():
                    if relation.eager:
                        how = f"eager {_short(owner)}.{relation.name}"
                        if relation.secondary:
                            found.setdefault(
                                ("read", relation.secondary),
                                Touched("read", relation.secondary, "", (), how),
                            )
                        work.append((relation.target, (), how))
        return list(found.values())

    def mention(self, model: str, attribute: str, via: str) -> list[Touched]:
        """A class attribute stands in a query: `Model.column`, `Model.relationship`."""
        relation = self.relation(model, attribute)
        if relation is None:
            column = self.column(model, attribute)
            if column is None:
                return []
            return [
                Touched("read", table, "", (column,), via)
                for table in self._table_with(model, column)
            ]
        touched = [Touched("read", table, "", (), via) for table in self.own_tables(model)]
        return touched + self.load(model, attribute, via)

    def load(self, model: str, attribute: str, via: str = "") -> list[Touched]:
        """A relationship of an instance is read, and so perhaps loaded."""
        relation = self.relation(model, attribute)
        if relation is None:
            return []
        via = via or f"lazy load {_short(model)}.{attribute}"
        found = self.read(relation.target, (), via)
        if relation.secondary:
            found.append(Touched("read", relation.secondary, "", (), via))
        return found

    def insert(self, model: str, via: str) -> list[Touched]:
        """A row of the model may be inserted."""
        return [Touched("write", table, "insert", (), via) for table in self.own_tables(model)]

    def update(self, model: str, attribute: str, via: str) -> list[Touched]:
        """An attribute of an instance is set; an empty name means any."""
        if not attribute:
            return [Touched("write", table, "update", (), via) for table in self.all_tables(model)]
        relation = self.relation(model, attribute)
        if relation is not None:
            return self.relate(model, attribute, via)
        column = self.column(model, attribute)
        if column is None:
            return []
        return [
            Touched("write", table, "update", (column,), via)
            for table in self._table_with(model, column)
        ]

    def relate(self, model: str, attribute: str, via: str) -> list[Touched]:
        """Objects are put into or taken out of a relationship; `via` may say which of both."""
        relation = self.relation(model, attribute)
        if relation is None or relation.view_only:
            return []
        adds, removes = via not in REMOVES, via not in ADDS
        via = f"{via} {_short(model)}.{attribute}"
        found: list[Touched] = []
        if relation.secondary and adds:
            found.append(Touched("write", relation.secondary, "insert", (), via))
        if relation.secondary and removes:
            found.append(Touched("write", relation.secondary, "delete", (), via))
        if relation.direction in ("many-to-one", "unknown"):
            found += [
                Touched("write", table, "update", self._keys(table, relation.target), via)
                for table in self._key_tables(model, relation.target)
            ]
        if relation.direction in ("one-to-many", "unknown"):
            found += [
                Touched("write", table, "update", self._keys(table, model), via)
                for table in self._key_tables(relation.target, model)
            ]
        if "delete-orphan" in relation.cascades and removes:
            found += self.delete(relation.target, f"orphan of {_short(model)}.{attribute}")
        if relation.direction == "many-to-one" and self._is_scalar_behind(model, relation):
            found += self.read(model, (), via)
        for each in (model, relation.target if relation.back_populates else model):
            if self._fact(each).stamped:
                found.append(Touched("write", self._fact(each).table, "update", (), via))
        return found

    def _is_scalar_behind(self, model: str, relation: RelationFact) -> bool:
        """Whether the other side holds one object: the old one is loaded when another is set."""
        own = {model, *self._fact(model).parents}
        others = (relation.target, *self._fact(relation.target).parents)
        return any(
            other.target in own and other.many is False and other.direction == "one-to-many"
            for each in others
            for other in self._fact(each).relations.values()
        )

    def _key_tables(self, holder: str, referred: str) -> list[str]:
        """Those of the holder's tables that have a foreign key to the referred model."""
        wanted = set(self.all_tables(referred))
        own = self.own_tables(holder)
        return [
            table for table in own if any(ref in wanted for ref, _ in self._references(table))
        ] or own

    def _keys(self, table: str, referred: str) -> tuple[str, ...]:
        wanted = set(self.all_tables(referred))
        fact = self.tables.get(table)
        columns = fact.columns if fact is not None else []
        return tuple(column.name for column in columns if column.referred in wanted)

    def delete(self, model: str, via: str) -> list[Touched]:
        """An instance is deleted through the session, with all that its cascades reach."""
        return self._deleted([(model, via)], [])

    def delete_rows(self, table: str, via: str) -> list[Touched]:
        """Rows are deleted in the database: the statement itself, and `ON DELETE` from there."""
        return self._deleted([], [(table, via)])

    def _deleted(self, models: list[tuple[str, str]], rows: list[tuple[str, str]]) -> list[Touched]:
        """What follows when instances of models, and rows of tables, are deleted, and why.

        A row without a reason is deleted by a statement that is known already. What the session
        does comes first: the database finds no row any more of what was loaded and deleted.
        """
        found: dict[tuple[str, str], Touched] = {}
        done: set[tuple[str, str]] = set()
        passive: list[tuple[str, str]] = []
        while models or rows or passive:
            if not models and rows:
                name, how = rows.pop(0)
                if ("row", name) not in done:
                    done.add(("row", name))
                    rows += self._delete_row(found, name, how)
                continue
            name, how = (models or passive).pop(0)
            if ("model", name) in done:
                continue
            done.add(("model", name))
            rows += [(table, how) for table in self.all_tables(name)]
            for owner in (name, *self._fact(name).parents, *self._descendants(name)):
                for relation in self._fact(owner).relations.values():
                    for touched in self._detached(owner, relation):
                        found.setdefault((touched.table, touched.operation or "read"), touched)
                    if "delete" in relation.cascades and not relation.view_only:
                        how = f"cascade {_short(owner)}.{relation.name}"
                        later = passive if relation.passive_deletes else models
                        later.append((relation.target, how))
        return list(found.values())

    def _delete_row(
        self, found: dict[tuple[str, str], Touched], table: str, via: str
    ) -> list[tuple[str, str]]:
        """One table's rows are deleted: what the database does, and rows that it deletes too."""
        if via:
            found.setdefault((table, "delete"), Touched("write", table, "delete", (), via))
        rows: list[tuple[str, str]] = []
        for referring, on_delete in self._referring.get(table, ()):
            how = f"cascade {referring} ON DELETE {on_delete}"
            if on_delete == "CASCADE":
                rows.append((referring, how))
            elif on_delete in ("SET NULL", "SET DEFAULT"):
                touched = Touched("write", referring, "update", (), how)
                found.setdefault((referring, "update"), touched)
        return rows

    def _detached(self, owner: str, relation: RelationFact) -> Iterator[Touched]:
        """What a delete does to the other end of a relationship that does not cascade."""
        if relation.view_only:
            return
        via = f"cascade {_short(owner)}.{relation.name}"
        if relation.secondary:
            yield Touched("write", relation.secondary, "delete", (), via)
            yield Touched("read", relation.secondary, "", (), via)
            yield from self.read(relation.target, (), via)
        elif relation.direction in ("one-to-many", "unknown") and not relation.passive_deletes:
            yield from self.read(relation.target, (), via)
            for table in self._key_tables(relation.target, owner):
                if "delete" not in relation.cascades:
                    keys = self._keys(table, owner)
                    yield Touched("write", table, "update", keys, via)


def _short(model: str) -> str:
    return model.rsplit(".", 1)[-1]


def snake_case(name: str) -> str:
    """The table name that Flask-SQLAlchemy makes of a class's (`flask_sqlalchemy.model`)."""
    separated = re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name)
    return separated.lower().lstrip("_")


def parse_cascades(text: str) -> tuple[str, ...]:
    """The cascades that `cascade="all, delete-orphan"` names, `all` spelt out."""
    found: set[str] = set()
    for part in re.split(r"\s*,\s*", text.strip()):
        if part == "all":
            found |= {"save-update", "merge", "refresh-expire", "expunge", "delete"}
        elif part == "none":
            found.clear()
        elif part:
            found.add(part)
    return tuple(sorted(found))


def sorted_touched(touched: Iterable[Touched]) -> list[Touched]:
    """Without repeats, in an order that does not depend on the run."""
    return sorted(set(touched))

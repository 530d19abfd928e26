"""The models and tables of a program by name: which hold a model's row, which attribute is what.

Plain facts go in (`ModelFact`, `RelationFact`, `TableFact`); no framework is known here.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from migrator.model.program import Column

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


class Models:
    """The models and tables of a program, and how they hang together."""

    def __init__(self, models: dict[str, ModelFact], tables: dict[str, TableFact]) -> None:
        self.models = models
        self.tables = tables
        self._by_folded = {name.lower(): name for name in tables}
        bare = Counter(name.lower().rpartition(".")[2] for name in tables)
        for name in tables:
            if bare[short := name.lower().rpartition(".")[2]] == 1:
                self._by_folded.setdefault(short, name)
        self._children: dict[str, list[str]] = {}
        for model in models.values():
            for parent in model.parents:
                self._children.setdefault(parent, []).append(model.name)
        self.referring: dict[str, list[tuple[str, str]]] = {}
        """Tables to (referring table, ON DELETE) of every foreign key that leads to them."""
        for table in tables.values():
            for referred, on_delete in table.references:
                self.referring.setdefault(referred, []).append((table.name, on_delete))
        for model in models.values():
            for relation in model.relations.values():
                relation.direction = self._direction(model, relation)

    def table_named(self, name: str) -> str:
        """The declared table that a SQL text means by `name`, else the name as it stands."""
        return self._by_folded.get(name.lower(), name)

    def own_tables(self, model: str) -> list[str]:
        """The tables that hold a model's row: its own and those of its parents."""
        found = []
        for name in (model, *self.fact_of(model).parents):
            table = self.fact_of(name).table
            if table and table not in found:
                found.append(table)
        return found

    def all_tables(self, model: str) -> list[str]:
        """`own_tables`, and those of subclasses: an instance may be of any of them."""
        found = self.own_tables(model)
        for child in self.descendants(model):
            found += [table for table in self.own_tables(child) if table not in found]
        return found

    def family(self, model: str) -> tuple[str, ...]:
        """A model, those that it inherits from, and all that inherit from it."""
        return (model, *self.fact_of(model).parents, *self.descendants(model))

    def relation(self, model: str, name: str) -> RelationFact | None:
        """The relationship of that name of a model, its parents or its subclasses."""
        for each in self.family(model):
            relation = self.fact_of(each).relations.get(name)
            if relation is not None:
                return relation
        return None

    def column(self, model: str, attribute: str) -> str | None:
        """The column behind an attribute of a model, or None."""
        for each in self.family(model):
            column = self.fact_of(each).attributes.get(attribute)
            if column is not None:
                return column
        return None

    def fact_of(self, model: str) -> ModelFact:
        """The facts of a model; empty ones of what is none."""
        return self.models.get(model) or ModelFact(model)

    def descendants(self, model: str) -> list[str]:
        """The models that inherit from a model directly."""
        return self._children.get(model, [])

    def tables_with(self, model: str, column: str) -> list[str]:
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
        forward = any(ref in target for table in own for ref, _ in self.references_of(table))
        backward = any(ref in own for table in target for ref, _ in self.references_of(table))
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

    def references_of(self, table: str) -> list[tuple[str, str]]:
        """(referred table, ON DELETE) of every foreign key of a table."""
        fact = self.tables.get(table)
        return fact.references if fact is not None else []


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

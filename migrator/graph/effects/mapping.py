"""What an object-relational mapping means: which tables a model's reads, writes and deletes touch.

The rules are SQLAlchemy's: a delete nulls or deletes the rows of one-to-many children, deletes the
rows of secondary tables, and follows `ON DELETE` in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from migrator.graph.effects.models import ModelFact, Models, RelationFact, TableFact
from migrator.model.program import Operation

ADDS = frozenset({"append", "add", "insert", "extend", "prepend", "add_all", "constructor"})
"""Ways of changing a collection that only put something into it."""
REMOVES = frozenset({"remove", "discard", "pop", "clear", "difference_update"})
"""Those that only take something out."""

SCANNED = "sql keywords"
"""How a table is known that keywords alone tell of a statement which no dialect parses: likely."""


class Touched(NamedTuple):
    """A table that something touches, and why."""

    kind: Literal["read", "write"]
    table: str
    operation: Operation = ""
    columns: tuple[str, ...] = ()
    via: str = ""


class Mapping(Models):
    """The models and tables of a program, with what follows from them."""

    def __init__(self, models: dict[str, ModelFact], tables: dict[str, TableFact]) -> None:
        super().__init__(models, tables)
        self.companions: dict[str, tuple[Touched, ...]] = {}
        """Tables to what a package touches whenever the mapper writes one of their rows."""

    def accompanied(self, touched: Iterable[Touched]) -> list[Touched]:
        """What is touched, with what packages touch then."""
        found = list(touched)
        for each in tuple(found):
            if each.kind == "write":
                found += self.companions.get(each.table, ())
        return found

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
            for owner in self.family(name):
                for attribute, tables in self.fact_of(owner).computed.items():
                    how = f"computed {_short(owner)}.{attribute}"
                    for table in tables:
                        found.setdefault(("read", table), Touched("read", table, "", (), how))
                for relation in self.fact_of(owner).relations.values():
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
                for table in self.tables_with(model, column)
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
            for table in self.tables_with(model, column)
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
            if self.fact_of(each).stamped:
                found.append(Touched("write", self.fact_of(each).table, "update", (), via))
        return found

    def _is_scalar_behind(self, model: str, relation: RelationFact) -> bool:
        """Whether the other side holds one object: the old one is loaded when another is set."""
        own = {model, *self.fact_of(model).parents}
        others = (relation.target, *self.fact_of(relation.target).parents)
        return any(
            other.target in own and other.many is False and other.direction == "one-to-many"
            for each in others
            for other in self.fact_of(each).relations.values()
        )

    def _key_tables(self, holder: str, referred: str) -> list[str]:
        """Those of the holder's tables that have a foreign key to the referred model."""
        wanted = set(self.all_tables(referred))
        own = self.own_tables(holder)
        return [
            table for table in own if any(ref in wanted for ref, _ in self.references_of(table))
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
            for owner in self.family(name):
                for relation in self.fact_of(owner).relations.values():
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
        for referring, on_delete in self.referring.get(table, ()):
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


def sorted_touched(touched: Iterable[Touched]) -> list[Touched]:
    """Without repeats, in an order that does not depend on the run."""
    return sorted(set(touched))

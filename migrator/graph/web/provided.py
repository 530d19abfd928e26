"""Functions that a framework provides in the name of a class of the project, without any code."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Literal

import msgspec

from migrator.graph.analysis import ProvidedFunction
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.protocol import Engine, Site
from migrator.model.program import Event, EventKind, Function, Operation


class Provided:
    """The place of such a function; implements `frameworks.Site`. Its effects make its events.

    `name` is that of the method as the class has it: `shop.admin.OrderView.create_view`. `label`
    tells those apart that one class has for several models.
    """

    in_loop = False
    conditional = False
    result_used = True
    first = True
    column = 0

    def __init__(self, name: str, label: str, module: str, file: str, line: int) -> None:
        self.function = name
        self.variant = f"{name}[{label}]"
        self.module = module
        self.file = file
        self.line = line
        self._effects: dict[tuple[EventKind, str, tuple[str, ...], str, Operation], None] = {}
        self._calls: dict[int, None] = {}

    @property
    def end(self) -> tuple[int, int]:
        return self.line, 0

    @property
    def key(self) -> Hashable:
        return ("provided", self.variant)

    def effect(
        self,
        kind: EventKind,
        target: str = "",
        *,
        columns: tuple[str, ...] = (),
        via: str = "",
        operation: Operation = "",
    ) -> None:
        self._effects[(kind, target, columns, via, operation)] = None

    def calls(self, value: int) -> None:
        self._calls[value] = None

    def provided(self, engine: Engine) -> ProvidedFunction:
        """The function as the analysis keeps it: all its events stand where the class does."""
        return ProvidedFunction(tuple(self._calls), lambda: self._as_function(engine))

    def _as_function(self, engine: Engine) -> Function:
        place = Event(kind="call", line=self.line, end_line=self.line, conditional=True)
        events = []
        for key in dict.fromkeys(key for each in self._calls for key in engine.runs(each)):
            name, _, label = key.partition("[")
            variant = key if label else ""
            events.append(msgspec.structs.replace(place, target=name, variant=variant))
        order = ("read", "write", "commit")
        effects = sorted(
            self._effects, key=lambda each: order.index(each[0]) if each[0] in order else 0
        )
        for kind, target, columns, via, operation in effects:
            events.append(
                Event(
                    kind=kind,
                    target=target,
                    line=self.line,
                    end_line=self.line,
                    via=via,
                    columns=columns,
                    operation=operation,
                )
            )
        return Function(
            name=self.function,
            file=self.file,
            line=self.line,
            end_line=self.line,
            events=tuple(events),
        )


class Records:
    """What generated pages do to the rows of a model, which no code of the project says."""

    def __init__(self, sqlalchemy: SQLAlchemy, via: str) -> None:
        self._sqlalchemy = sqlalchemy
        self._via = via

    def relations(self, engine: Engine, model: int) -> list[str]:
        """The relationships of a model that a page shows or edits, backrefs among them."""
        declared = self._sqlalchemy.declared
        names = [name for name, _ in declared.relationships_of(engine, model)]
        for owner in engine.bases(model):
            engine.points_to(engine.slot("sqlalchemy", "backrefs", owner))
            names += declared.reports.get(owner, {})
        return list(dict.fromkeys(names))

    def read(self, site: Site, model: int) -> None:
        """Rows are read, and nothing else."""
        self._sqlalchemy.facts.note(site, "read", model, via=self._via)

    def do(self, site: Site, model: int, deed: Literal["insert", "update", "delete"]) -> None:
        """A row is written and that is committed."""
        self._sqlalchemy.facts.note(site, deed, model, via=self._via)
        self._sqlalchemy.facts.end(site, "commit")

    def show(self, engine: Engine, site: Site, models: Iterable[int]) -> None:
        """Rows are read, with what they refer to."""
        facts = self._sqlalchemy.facts
        for model in models:
            facts.note(site, "read", model, via=self._via)
            for name in self.relations(engine, model):
                facts.note(site, "load", model, name, via=self._via)

    def create(self, engine: Engine, site: Site, models: Iterable[int]) -> None:
        """A row is made from a form that offers what it may refer to."""
        for model in models:
            self._sqlalchemy.facts.note(site, "insert", model, via=self._via)
            self._fill(engine, site, model, "constructor")

    def change(self, engine: Engine, site: Site, models: Iterable[int]) -> None:
        """A row is changed by such a form."""
        for model in models:
            self._sqlalchemy.facts.note(site, "update", model, via=self._via)
            self._fill(engine, site, model, self._via)

    def _fill(self, engine: Engine, site: Site, model: int, via: str) -> None:
        facts = self._sqlalchemy.facts
        for name in self.relations(engine, model):
            facts.note(site, "load", model, name, via=self._via)
            facts.note(site, "relate", model, name, via=via)
        facts.end(site, "commit")

    def delete(self, engine: Engine, site: Site, models: Iterable[int]) -> None:
        """A row is deleted, with what follows from it."""
        facts = self._sqlalchemy.facts
        for model in models:
            facts.note(site, "read", model, via=self._via)
            facts.note(site, "delete", model, via=self._via)
            facts.end(site, "commit")

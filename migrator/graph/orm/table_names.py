"""What the table of a model is called, and in which schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from migrator.graph.effects.models import snake_case
from migrator.graph.effects.sql_statements import in_schema
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import DECLARED
from migrator.graph.protocol import Engine


class TableNames:
    """Names by class; `tables` are those of `Table(...)` values, by value."""

    def __init__(
        self, declarations: Declarations, engine: Engine, tables: Mapping[int, str]
    ) -> None:
        self._declared = declarations
        self._engine = engine
        self._values = engine.values
        self._table_of = tables

    def of(self, class_: int, inherits: bool, columns: bool, keyed: bool) -> str:
        """The name of a model's own table, with its schema; empty: it has none.

        `inherits`: from a mapped class; `columns`: whether it declares any, `keyed`: a primary key.
        """
        return self._qualified(class_, self._bare(class_, inherits, columns, keyed))

    def _bare(self, class_: int, inherits: bool, columns: bool, keyed: bool) -> str:
        own = {each.name: each.variable for each in self._engine.class_view(class_).attributes}
        if "__table__" in own:
            for value in self._engine.points_to(own["__table__"]):
                if value in self._table_of:
                    return self._table_of[value]
        named_after_class = self._declared.is_named_after_class(self._engine, class_)
        if named_after_class and inherits and not keyed:
            return ""  # Flask-SQLAlchemy lets it live in its parent's table, named or not
        if "__tablename__" in own:
            return self._text(class_, own["__tablename__"])
        inherited = None if inherits else self._engine.class_attribute(class_, "__tablename__")
        if inherited is not None:
            return self._text(class_, inherited)
        if named_after_class:
            return snake_case(self._values.name(class_).rsplit(".", 1)[-1]) if columns else ""
        keyword = self._engine.class_view(class_).keywords.get("table")
        if keyword is not None:
            return self._values.name(class_).rsplit(".", 1)[-1].lower()
        return ""

    def _qualified(self, class_: int, name: str) -> str:
        """A table's name with the schema of its `__table_args__`.

        A helper may put these together in ways that are not followed: then it is the schema in
        which somebody refers to a table of that name, if that is one.
        """
        variable = self._engine.class_attribute(class_, "__table_args__")
        if not name or "." in name or variable is None:
            return name
        schemas: dict[str, None] = {}
        for value in self._arguments_of(class_, variable):
            for each in (value, *self._engine.points_to(self._engine.element(value))):
                if self._values.kind(each) == Kind.CONTAINER:
                    found = map(self._values.text, self._engine.under(each, "schema"))
                    schemas.update(dict.fromkeys(text for text in found if text))
        if len(schemas) != 1:
            known = {each for each in self._referred if each.rpartition(".")[2] == name}
            schemas = {each.rpartition(".")[0]: None for each in known} if len(known) == 1 else {}
        return in_schema(next(iter(schemas), ""), name)

    def _arguments_of(self, class_: int, variable: int) -> Iterator[int]:
        """The containers that `__table_args__` may be, for that class."""
        for value in self._engine.points_to(variable):
            given: tuple[int, ...] = (value,)
            if self._values.name(value) == DECLARED:
                slot = self._engine.slot("sqlalchemy", "declared", value, class_)
                given = self._engine.points_to(slot)
            yield from (each for each in given if self._values.kind(each) == Kind.CONTAINER)

    @cached_property
    def _referred(self) -> frozenset[str]:
        """The tables that foreign keys are written to refer to."""
        keys = self._declared.keys.values()
        return frozenset(text.rpartition(".")[0] for each in keys for text in each.texts)

    def _text(self, class_: int, variable: int) -> str:
        texts = []
        for value in self._engine.points_to(variable):
            if self._values.name(value) == DECLARED:
                slot = self._engine.slot("sqlalchemy", "declared", value, class_)
                texts += [self._values.text(each) for each in self._engine.points_to(slot)]
            else:
                texts.append(self._values.text(value))
        # One helper may make the names of indexes and of referred columns (`table.id`), too.
        referred = self._referred | {bare.rpartition(".")[2] for bare in self._referred}
        known = [text for text in texts if text]
        known.sort(key=lambda text: ("." in text, text not in referred))
        return known[0] if known else snake_case(self._values.name(class_).rsplit(".", 1)[-1])

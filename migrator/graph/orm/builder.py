"""From declarations as values to the named facts of a mapping."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from migrator.graph.effects.mapping import Mapping
from migrator.graph.effects.models import ModelFact, RelationFact, TableFact
from migrator.graph.effects.sql_statements import bare_name, in_schema
from migrator.graph.linking.values import Kind
from migrator.graph.orm.computed import COMPUTED
from migrator.graph.orm.declarations import Declarations
from migrator.graph.orm.declared import (
    ATTRIBUTE,
    CLASS_TABLE,
    COLUMN,
    FOREIGN_KEY,
    RELATIONSHIP,
    TABLE_COLUMNS,
    BackrefUse,
    KeyFact,
    RelationshipFact,
    TableCall,
)
from migrator.graph.orm.queries import ALIAS, Queries
from migrator.graph.orm.table_names import TableNames
from migrator.graph.protocol import Annotation, Engine
from migrator.model.program import Column

_OF_SUBJECTS = frozenset({ATTRIBUTE, TABLE_COLUMNS, CLASS_TABLE, ALIAS})
"""Tags of values whose first part is a class or table."""

_STAMPED = frozenset({"sqlalchemy_utils.Timestamp", "sqlalchemy_utils.models.Timestamp"})
"""Bases that listen to `before_update`, which comes also where only a collection changed."""


class MappingBuilder:
    """Turns values into the named facts of `migrator.graph.effects.mapping`."""

    def __init__(self, declarations: Declarations, queries: Queries, engine: Engine) -> None:
        self.declared = declarations
        self.queries = queries
        self.engine = engine
        self.values = engine.values
        self.tables: dict[str, TableFact] = {}
        self.models: dict[str, ModelFact] = {}
        self.table_of: dict[int, str] = {}
        self._keys: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
        self._names = TableNames(declarations, engine, self.table_of)

    def build(self) -> Mapping:
        known = {
            (call.file, call.line)
            for call in self.declared.tables.values()
            if any("{}" not in name for name in call.names)
        }
        for value, call in self.declared.tables.items():
            if (call.file, call.line) in known:  # what others give it there says what it is
                names = tuple(each for each in call.names if "{}" not in each)
                call = call._replace(names=names)
            self._add_table(value, call)
        classes = sorted(self.declared.models, key=self._depth)
        for class_ in classes:
            self._add_model(class_)
        for class_, tables in self.declared.imperative.items():
            name = self.values.name(class_)
            table = next((self.table_of[each] for each in tables if each in self.table_of), "")
            self.models[name] = ModelFact(name, table)
            if table:
                self.models[name].attributes = {
                    column.name: column.name for column in self.tables[table].columns
                }
        for class_ in (*classes, *self.declared.imperative):
            self._add_relations(class_)
            self._add_computed(class_)
        self._pair_backrefs()
        self._refer()
        return Mapping(self.models, self.tables)

    def _depth(self, class_: int) -> tuple[int, str]:
        return len(self.engine.bases(class_)), self.values.name(class_)

    def _add_table(self, value: int, call: TableCall) -> None:
        for name in (in_schema(call.schema, each) for each in call.names):
            fact = self.tables.setdefault(name, TableFact(name, call.file, call.line))
            self.table_of[value] = name
            for part in call.parts:
                if self.values.name(part) == COLUMN:
                    self._add_column(fact, "", part)
                else:
                    self._add_key(fact, part)

    def _add_column(self, table: TableFact, attribute: str, value: int) -> str:
        fact = self.declared.columns[value]
        name = fact.name or attribute
        if name and all(column.name != name for column in table.columns):
            table.columns.append(
                Column(
                    name=name,
                    type=fact.type,
                    attribute=attribute if attribute != name else "",
                    nullable=fact.nullable if fact.nullable is not None else not fact.primary_key,
                    primary_key=fact.primary_key,
                    unique=fact.unique,
                )
            )
            self._keys.setdefault(table.name, []).append((name, fact.foreign_keys))
        return name

    def _add_key(self, table: TableFact, value: int) -> None:
        self._keys.setdefault(table.name, []).append(("", (value,)))

    def _refer(self) -> None:
        """Resolve foreign keys now that all tables are known."""
        for table_name, keys in self._keys.items():
            table = self.tables[table_name]
            for column_name, values in keys:
                for value in values:
                    fact = self.declared.keys.get(value)
                    if fact is not None:
                        self._resolve_key(table, column_name, fact)

    def _resolve_key(self, table: TableFact, column_name: str, fact: KeyFact) -> None:
        texts = list(fact.texts)
        for value in fact.columns:
            view = self.values.view(value)
            if view.name == ATTRIBUTE:
                class_, attribute = view.parts
                model = self.models.get(self.values.name(int(str(class_))))
                if model is not None:
                    texts.append(f"{model.table}.{model.attributes.get(str(attribute), attribute)}")
            elif view.name == TABLE_COLUMNS:
                owner, column = view.parts[0], view.parts[1]
                texts.append(f"{self.table_of.get(int(str(owner)), '')}.{column}")
        for text in texts:
            text = self._known_reference(text)
            referred, _, _ = text.rpartition(".")
            if not referred:
                continue
            table.references.append((referred, fact.on_delete))
            for index, column in enumerate(table.columns):
                if column.name == column_name and not column.references:
                    table.columns[index] = Column(
                        name=column.name,
                        type=column.type or self._type_of(text),
                        attribute=column.attribute,
                        nullable=column.nullable,
                        primary_key=column.primary_key,
                        unique=column.unique,
                        references=text,
                        on_delete=fact.on_delete,
                    )

    def _known_reference(self, text: str) -> str:
        """`schema.table.column` as the table is called here: without a schema that is not known."""
        referred, _, column = text.rpartition(".")
        name = bare_name(referred)
        if name not in self.tables and name.rpartition(".")[2] in self.tables:
            name = name.rpartition(".")[2]
        return f"{name}.{column}" if referred else text

    def _type_of(self, reference: str) -> str:
        referred, _, name = reference.rpartition(".")
        fact = self.tables.get(referred)
        return next((each.type for each in fact.columns if each.name == name), "") if fact else ""

    def _add_model(self, class_: int) -> None:
        view = self.engine.class_view(class_)
        own = {attribute.name for attribute in view.attributes}
        if "__abstract__" in own or class_ in self.declared.bases:
            return
        name = self.values.name(class_)
        mapped_parents = [
            self.values.name(base)
            for base in self.engine.bases(class_)[1:]
            if self.values.name(base) in self.models and self.values.kind(base) == Kind.CLASS
        ]
        bases = {self.values.name(base) for base in self.engine.bases(class_)}
        model = ModelFact(name, parents=mapped_parents, stamped=bool(bases & _STAMPED))
        columns = list(self._columns(class_, bool(mapped_parents)))
        keyed = any(self.declared.columns[value].primary_key for _, value in columns)
        table = self._names.of(class_, bool(mapped_parents), bool(columns), keyed)
        if not table and not mapped_parents:
            return
        self.models[name] = model
        model.table = table
        holder = table or next(
            (self.models[each].table for each in mapped_parents if self.models[each].table), ""
        )
        if not holder:
            return
        fact = self.tables.setdefault(holder, TableFact(holder, view.file, view.line))
        if columns and not fact.columns:  # a script that reflects the table does not define it
            fact.file, fact.line = view.file, view.line
        for attribute, value in columns:
            model.attributes[attribute] = self._add_column(fact, attribute, value)
        for attribute, annotation in self._annotated_columns(class_):
            if attribute not in model.attributes:
                model.attributes[attribute] = attribute
                if all(column.name != attribute for column in fact.columns):
                    fact.columns.append(_annotated_column(attribute, annotation))
            else:
                _give_type(fact.columns, model.attributes[attribute], annotation)
        for value in self._table_arguments(class_):
            self._add_key(fact, value)
        if not columns:
            for column in fact.columns:
                model.attributes.setdefault(column.attribute or column.name, column.name)

    def _columns(self, class_: int, inherits: bool) -> Iterator[tuple[str, int]]:
        """The column attributes of a class and its unmapped mixins."""
        seen: set[str] = set()
        for owner in self.engine.bases(class_):
            if self.values.kind(owner) != Kind.CLASS:
                continue
            if owner != class_ and inherits and self.values.name(owner) in self.models:
                continue
            for attribute in self.engine.class_view(owner).attributes:
                if attribute.name in seen:
                    continue
                for value in self.declared.declared(self.engine, attribute.variable):
                    if self.values.name(value) == COLUMN and value in self.declared.columns:
                        seen.add(attribute.name)
                        yield attribute.name, value
                        break

    def _annotated_columns(self, class_: int) -> Iterator[tuple[str, Annotation]]:
        """`name: Mapped[str]` without a value is a column too."""
        for owner in self.engine.bases(class_):
            if self.values.kind(owner) != Kind.CLASS:
                continue
            if owner != class_ and self.values.name(owner) in self.models:
                continue
            for attribute in self.engine.class_view(owner).attributes:
                annotation = attribute.annotation
                if annotation is None or annotation.name.rsplit(".", 1)[-1] != "Mapped":
                    continue
                values = set(self.declared.declared(self.engine, attribute.variable))
                if not any(self.values.name(value) == RELATIONSHIP for value in values):
                    yield attribute.name, annotation

    def _table_arguments(self, class_: int) -> Iterator[int]:
        """`ForeignKeyConstraint`s in `__table_args__`."""
        variable = self.engine.class_attribute(class_, "__table_args__")
        if variable is None:
            return
        for value in self.engine.points_to(variable):
            if self.values.kind(value) == Kind.CONTAINER:
                for part in self.engine.points_to(self.engine.element(value)):
                    if self.values.name(part) == FOREIGN_KEY:
                        yield part

    def _add_relations(self, class_: int) -> None:
        model = self.models.get(self.values.name(class_))
        if model is None:
            return
        for name, value in self.declared.relationships_of(self.engine, class_):
            fact = self.declared.relationships[value]
            self._add_relation(model, class_, name, value, fact)
        for name, use in self.declared.reports.get(class_, {}).items():
            declared = self.declared.relationships[use.relationship]
            options = use.options or declared._replace(
                cascades=("merge", "save-update"),
                passive_deletes=False,
                view_only=declared.view_only,
                eager=False,
                remote_side=not declared.remote_side and self._self_referring(use, class_),
                many=None,
            )
            options = options._replace(secondary=declared.secondary)
            self._add_relation(model, class_, name, use.relationship, options)

    def _pair_backrefs(self) -> None:
        """Both sides of a relationship that a `backref` makes know each other's name."""
        written = {
            relationship: name
            for class_ in self.declared.models
            for name, relationship in self.declared.relationships_of(self.engine, class_)
        }
        for class_, reports in self.declared.reports.items():
            for name, use in reports.items():
                sides = (
                    (class_, name, written.get(use.relationship, "")),
                    (use.owner, written.get(use.relationship, ""), name),
                )
                for owner, own, other in sides:
                    model = self.models.get(self.values.name(owner))
                    relation = model.relations.get(own) if model is not None else None
                    if relation is not None:
                        relation.back_populates = relation.back_populates or other

    def _add_computed(self, class_: int) -> None:
        """Attributes that `column_property` makes of a query."""
        model = self.models.get(self.values.name(class_))
        for owner in self.engine.bases(class_) if model is not None else ():
            if self.values.kind(owner) != Kind.CLASS:
                continue
            for attribute in self.engine.class_view(owner).attributes:
                for value in self.declared.declared(self.engine, attribute.variable):
                    if self.values.name(value) == COMPUTED and model is not None:
                        statement = int(str(self.values.view(value).parts[0]))
                        model.computed[attribute.name] = self._tables_of(statement, model.table)

    def _tables_of(self, statement: int, own: str) -> list[str]:
        tables: dict[str, None] = {}
        for value in self.queries.names(self.engine, statement):
            view = self.values.view(value)
            subject = int(str(view.parts[0])) if view.name in _OF_SUBJECTS else value
            held = self.models.get(self.values.name(subject))
            tables[self.table_of.get(subject) or (held.table if held is not None else "")] = None
        return [each for each in tables if each and each != own]

    def _self_referring(self, use: BackrefUse, class_: int) -> bool:
        return use.owner == class_ or class_ in self.engine.bases(use.owner)

    def _add_relation(
        self, model: ModelFact, class_: int, name: str, value: int, fact: RelationshipFact
    ) -> None:
        for target in self.declared.targets(self.engine, class_, name, value):
            model.relations[name] = RelationFact(
                name=name,
                target=self.values.name(target),
                many=self.declared.is_many(self.engine, class_, name, value),
                secondary=self._secondary(fact.secondary),
                cascades=fact.cascades,
                passive_deletes=fact.passive_deletes,
                view_only=fact.view_only,
                eager=fact.eager,
                remote_side=fact.remote_side,
                keys_in=self._keys_in(class_, target, fact.foreign_keys),
                back_populates=fact.back_populates,
                line=fact.line,
            )

    def _keys_in(self, class_: int, target: int, given: tuple[int, ...]) -> str:
        """The class of the two with the columns that `foreign_keys` names; empty if unknown."""
        for value in given:
            view, text = self.values.view(value), self.values.text(value) or ""
            for each in (class_, target):
                name = self.values.name(each)
                if view.name == ATTRIBUTE and view.parts[0] == each:
                    return name
                if text.strip("[] ").rpartition(".")[0] == name.rpartition(".")[2]:
                    return name
                if value in self.declared.columns and any(
                    value == column for _, column in self._columns(each, False)
                ):
                    return name
        return ""

    def _secondary(self, variable: int | None) -> str:
        for value in self.engine.points_to(variable) if variable is not None else ():
            if value in self.table_of:
                return self.table_of[value]
            view = self.values.view(value)
            if view.name == CLASS_TABLE:
                model = self.models.get(self.values.name(int(str(view.parts[0]))))
                return model.table if model is not None else ""
            if view.kind == Kind.STRING:
                return view.name
        return ""


def _annotated_column(name: str, annotation: Annotation) -> Column:
    inner = annotation.arguments[0] if annotation.arguments else annotation
    text = inner.text.strip("\"'")
    nullable = "Optional" in text or "None" in text
    return Column(name=name, type=text, nullable=nullable)


def _give_type(columns: list[Column], name: str, annotation: Annotation) -> None:
    """A column that is declared without a type has that of its annotation."""
    for index, column in enumerate(columns):
        if column.name == name and not column.type:
            told = _annotated_column(name, annotation).type
            columns[index] = msgspec.structs.replace(column, type=told)

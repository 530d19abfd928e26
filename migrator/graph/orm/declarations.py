"""Columns, tables, relationships and mapped classes, as the code declares them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from migrator.graph.effects.models import parse_cascades
from migrator.graph.linking.values import Kind
from migrator.graph.orm.declared import (
    BACKREF,
    BASE,
    COLUMN,
    DECLARATIVE_BASES,
    DECLARED,
    FOREIGN_KEY,
    IMPLICIT,
    RELATIONSHIP,
    TABLE,
    BackrefUse,
    ColumnFact,
    KeyFact,
    RelationshipFact,
    TableCall,
)
from migrator.graph.orm.registries import mapped
from migrator.graph.protocol import Annotation, CallSite, ClassView, Engine, with_elements

_LISTS = frozenset({"list", "List", "set", "Set", "Sequence", "Collection", "Iterable", "dict"})
_EAGER = frozenset({"joined", "selectin", "subquery", "immediate"})


@dataclass
class Declarations:
    """All declarations of a program, by value."""

    columns: dict[int, ColumnFact] = field(default_factory=dict)
    keys: dict[int, KeyFact] = field(default_factory=dict)
    relationships: dict[int, RelationshipFact] = field(default_factory=dict)
    tables: dict[int, TableCall] = field(default_factory=dict)
    models: dict[int, ClassView] = field(default_factory=dict)
    bases: set[int] = field(default_factory=set)
    """Classes that are a declarative base, or are made one by an extension: not mapped."""
    imperative: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Classes mapped by `map_imperatively` to table values."""
    properties: dict[tuple[int, str], int] = field(default_factory=dict)
    """Relationships of imperatively mapped classes."""
    reports: dict[int, dict[str, BackrefUse]] = field(default_factory=dict)
    """Backrefs by the class on which they appear."""

    # -- calls that declare -----------------------------------------------------------------------

    def column(self, engine: Engine, site: CallSite) -> int:
        """`Column(...)`: its name, type, keys and flags."""
        value = engine.values.opaque(COLUMN, site.key)
        name = site.text(-1, "name") or ""
        type_ = ""
        keys: list[int] = []
        mutable = False
        for position in range(site.positional):
            for part in site.argument(position):
                view = engine.values.view(part)
                if view.kind == Kind.STRING and position == 0:
                    name = view.name
                elif view.name == FOREIGN_KEY:
                    keys.append(part)
                elif view.kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.INSTANCE):
                    type_ = type_ or view.name.rsplit(".", 1)[-1]
        for part in site.argument(-1, "type_"):
            type_ = type_ or engine.values.name(part).rsplit(".", 1)[-1]
        mutable = type_ in {"JSON", "JSONB", "ARRAY", "PickleType", "HSTORE"} or "Mutable" in type_
        nullable = site.constant(-1, "nullable")
        self.columns[value] = ColumnFact(
            name,
            type_,
            tuple(keys),
            site.constant(-1, "primary_key") is True,
            nullable if isinstance(nullable, bool) else None,
            site.constant(-1, "unique") is True,
            mutable,
        )
        return value

    def foreign_key(self, engine: Engine, site: CallSite, position: int = 0) -> int:
        """`ForeignKey(...)`, or one referred column of a `ForeignKeyConstraint`."""
        value = engine.values.opaque(FOREIGN_KEY, site.key)
        self.keys[value] = KeyFact(
            site.texts(position, "column" if position == 0 else "refcolumns"),
            tuple(
                part
                for part in site.argument(position, "column")
                if engine.values.kind(part) == Kind.OPAQUE
            ),
            (site.text(-1, "ondelete") or "").upper(),
        )
        return value

    def relationship(self, engine: Engine, site: CallSite) -> int:
        """`relationship(...)` or `backref(...)`: both take the same options."""
        value = engine.values.opaque(RELATIONSHIP, site.key)
        targets = engine.slot("sqlalchemy", "target", site.key)
        for position, name in ((0, "argument"), (-1, "entity")):
            variable = site.argument_variable(position, name)
            if variable is not None:
                engine.flow(variable, targets)
                for part in site.argument(position, name):
                    if engine.values.kind(part) == Kind.FUNCTION:
                        engine.flow(engine.invoke(site, part, [], edge=False), targets)
        self.relationships[value] = self._options(engine, site, targets)
        named = engine.slot("sqlalchemy", "backref of", value)
        engine.add(named, *site.argument(-1, "backref"))
        return value

    def backref(self, engine: Engine, site: CallSite) -> int:
        """`backref("name", **options)`."""
        value = engine.values.opaque(BACKREF, site.text(0, "name") or "", site.key)
        targets = engine.slot("sqlalchemy", "target", site.key)
        self.relationships[value] = self._options(engine, site, targets)
        return value

    def _options(self, engine: Engine, site: CallSite, targets: int) -> RelationshipFact:
        uselist = site.constant(-1, "uselist")
        lazy = site.text(-1, "lazy") or ""
        if site.constant(-1, "lazy") is False:
            lazy = "joined"
        cascade = site.text(-1, "cascade")
        backrefs: list[tuple[str, RelationshipFact | None]] = []
        for part in site.argument(-1, "backref"):
            view = engine.values.view(part)
            if view.kind == Kind.STRING:
                backrefs.append((view.name, None))
            elif view.name == BACKREF:
                backrefs.append((str(view.parts[0]), self.relationships.get(part)))
        secondary = site.argument_variable(-1, "secondary")
        if secondary is not None:
            for part in site.argument(-1, "secondary"):
                if engine.values.kind(part) == Kind.FUNCTION:
                    called = engine.invoke(site, part, [], edge=False)
                    secondary_slot = engine.slot("sqlalchemy", "secondary", site.key)
                    engine.flow(secondary, secondary_slot)
                    engine.flow(called, secondary_slot)
                    secondary = secondary_slot
        passive = site.constant(-1, "passive_deletes")
        return RelationshipFact(
            targets,
            secondary,
            uselist
            if isinstance(uselist, bool)
            else (True if lazy in ("dynamic", "write_only") else None),
            parse_cascades(cascade) if cascade is not None else ("merge", "save-update"),
            passive is True or passive == "all",
            site.constant(-1, "viewonly") is True,
            lazy in _EAGER,
            lazy in ("dynamic", "write_only"),
            site.given(-1, "remote_side"),
            tuple(with_elements(engine, site.argument(-1, "foreign_keys"))),
            site.text(-1, "back_populates") or "",
            tuple(backrefs),
            site.line,
        )

    def table(self, engine: Engine, site: CallSite) -> int:
        """`Table("name", metadata, *columns)`."""
        value = engine.values.opaque(TABLE, site.key)
        if _is_of_a_revision(engine, site.module):
            return value
        parts: list[int] = []
        for position in range(1, site.positional):
            parts += [
                part
                for part in site.argument(position)
                if engine.values.name(part) in (COLUMN, FOREIGN_KEY)
            ]
        self.tables[value] = TableCall(
            site.texts(0, "name"),
            tuple(dict.fromkeys(parts)),
            site.file,
            site.line,
            site.text(-1, "schema") or "",
        )
        return value

    # -- classes ----------------------------------------------------------------------------------

    def is_model(self, value: int) -> bool:
        """Whether a `CLASS` value is mapped, as far as is known."""
        return value in self.models or value in self.imperative

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        """A class with a declarative base; its relationships' backrefs appear on their targets."""
        direct = engine.bases(class_.value)[1:2]
        named = engine.values.name(base)
        if named in DECLARATIVE_BASES and base in direct and named != "sqlmodel.SQLModel":
            self.bases.add(class_.value)
            return
        if _is_of_a_revision(engine, class_.name):
            return
        self.models[class_.value] = class_
        last = class_.name.rsplit(".", 1)[-1]
        engine.add(engine.slot("sqlalchemy", "models named", last), class_.value)
        mapped(engine, class_.value)
        self.connect_backrefs(engine, class_.value)
        for parent in engine.bases(class_.value)[1:]:
            if parent in self.models and self._is_polymorphic(engine, parent):
                engine.add(self.loaded_as(engine, parent), engine.values.instance(class_.value))

    @staticmethod
    def loaded_as(engine: Engine, class_: int) -> int:
        """The variable of what rows of a class are: its instances, or those of subclasses."""
        rows = engine.slot("sqlalchemy", "loaded as", class_)
        engine.add(rows, engine.values.instance(class_))
        return rows

    @staticmethod
    def _is_polymorphic(engine: Engine, class_: int) -> bool:
        variable = engine.class_attribute(class_, "__mapper_args__")
        held = engine.points_to(variable) if variable is not None else ()
        return any(
            engine.values.kind(each) == Kind.CONTAINER and "polymorphic_on" in engine.keys(each)
            for each in held
        )

    def connect_backrefs(self, engine: Engine, class_: int) -> None:
        """Let the backrefs of a class's relationships be seen on their targets."""
        for name, relationship in self.relationships_of(engine, class_):
            engine.points_to(engine.slot("sqlalchemy", "backref of", relationship))
            fact = self.relationships.get(relationship)
            if fact is None:
                continue
            for backref, options in fact.backrefs:
                for target in self.targets(engine, class_, name, relationship):
                    use = BackrefUse(backref, class_, relationship, options)
                    known = self.reports.setdefault(target, {})
                    if backref not in known:
                        known[backref] = use
                    engine.add(engine.slot("sqlalchemy", "backrefs", target), relationship)

    def relationships_of(self, engine: Engine, class_: int) -> Iterator[tuple[str, int]]:
        """The relationships that a class or its mixins declare, by attribute."""
        seen: set[str] = set()
        for owner in engine.bases(class_):
            if engine.values.kind(owner) != Kind.CLASS:
                continue
            for attribute in engine.class_view(owner).attributes:
                if attribute.name in seen:
                    continue
                for value in self.declared(engine, attribute.variable):
                    if engine.values.name(value) == RELATIONSHIP:
                        seen.add(attribute.name)
                        yield attribute.name, value
        for (owner, name), value in self.properties.items():
            if owner == class_ and name not in seen:
                yield name, value

    def relationship_names(self, engine: Engine, class_: int) -> list[str]:
        """The attributes of a class that are relationships, also by backrefs of others."""
        names = [name for name, _ in self.relationships_of(engine, class_)]
        for owner in engine.bases(class_):
            engine.points_to(engine.slot("sqlalchemy", "backrefs", owner))
            names += self.reports.get(owner, {})
        return names

    def declared(self, engine: Engine, variable: int) -> Iterator[int]:
        """The values of a class attribute, with what a `declared_attr` gives in place of it."""
        for value in engine.points_to(variable):
            if engine.values.name(value) == DECLARED:
                yield from engine.points_to(engine.slot("sqlalchemy", "declared", value))
            else:
                yield value

    def targets(self, engine: Engine, class_: int, name: str, relationship: int) -> list[int]:
        """The classes that a relationship leads to, by argument, string or annotation."""
        found: list[int] = []
        use = self.reports.get(class_, {}).get(name)
        if use is not None and use.relationship == relationship:
            return [use.owner]
        fact = self.relationships.get(relationship)
        if fact is None:
            return found
        for value in engine.points_to(fact.targets):
            kind = engine.values.kind(value)
            if kind == Kind.CLASS:
                found.append(value)
            elif kind == Kind.STRING:
                found += self._named(engine, class_, engine.values.name(value))
        if not found:
            for annotation in self.annotations(engine, class_, name):
                found += self._annotated(engine, class_, annotation)
        return list(dict.fromkeys(found))

    def _named(self, engine: Engine, class_: int, text: str) -> list[int]:
        """`"Profile"`, `"shop.models.Profile"`, or `"lambda: Profile"` left to no one."""
        name = text.strip().strip("\"'")
        engine.points_to(engine.slot("sqlalchemy", "models named", name.rsplit(".", 1)[-1]))
        found = [each for each in engine.class_named(name) if self._may_be_model(engine, each)]
        if len(found) > 1:
            own = self._registries(engine, class_)
            found = [e for e in found if self._registries(engine, e) & own] or found
        if len(found) > 1:
            package = engine.values.name(class_).split(".")
            near = [
                each
                for each in found
                if engine.values.name(each).split(".")[: len(package) - 1] == package[:-1]
            ]
            found = near or found
        return found

    def _registries(self, engine: Engine, class_: int) -> set[int]:
        """The declarative bases of a class: a name means a class of the same one."""
        return {
            base
            for base in engine.bases(class_)
            if base in self.bases or engine.values.name(base) == BASE
        }

    def _may_be_model(self, engine: Engine, class_: int) -> bool:
        if self.is_model(class_):
            return True
        return not _is_of_a_revision(engine, engine.values.name(class_)) and any(
            engine.values.name(base) == BASE or engine.values.name(base) in DECLARATIVE_BASES
            for base in engine.bases(class_)
        )

    def mapped_columns(self, engine: Engine, class_: int) -> Iterator[tuple[str, ColumnFact]]:
        """The columns of the tables to which a class or its parents are mapped by a call."""
        for owner in engine.bases(class_):
            for table in self.imperative.get(owner, ()):
                for part in self.tables[table].parts if table in self.tables else ():
                    fact = self.columns.get(part)
                    if fact is not None:
                        yield fact.name, fact

    def annotations(self, engine: Engine, class_: int, name: str) -> Iterator[Annotation]:
        """The annotation of an attribute in a class or its mixins."""
        for owner in engine.bases(class_):
            if engine.values.kind(owner) != Kind.CLASS:
                continue
            for attribute in engine.class_view(owner).attributes:
                if attribute.name == name and attribute.annotation is not None:
                    yield attribute.annotation
                    return

    def _annotated(self, engine: Engine, class_: int, annotation: Annotation) -> list[int]:
        found = [value for value in annotation.values if engine.values.kind(value) == Kind.CLASS]
        if not found and not annotation.arguments:
            found += self._named(engine, class_, annotation.text)
        for argument in annotation.arguments:
            found += self._annotated(engine, class_, argument)
        return found

    def is_many(self, engine: Engine, class_: int, name: str, relationship: int) -> bool | None:
        """Whether the attribute holds a collection; None where only the keys can tell."""
        use = self.reports.get(class_, {}).get(name)
        if use is not None and use.relationship == relationship:
            if use.options is not None and use.options.many is not None:
                return use.options.many
            fact = self.relationships.get(relationship)
            return True if fact is not None and fact.secondary is not None else None
        fact = self.relationships.get(relationship)
        if fact is None:
            return None
        if fact.many is not None:
            return fact.many
        for annotation in self.annotations(engine, class_, name):
            inner = annotation.arguments[0] if annotation.arguments else annotation
            head = inner.name.rsplit(".", 1)[-1]
            if annotation.name.rsplit(".", 1)[-1] in {"DynamicMapped", "WriteOnlyMapped"}:
                return True
            if annotation.name.rsplit(".", 1)[-1] == "Mapped":
                return head in _LISTS
        return True if fact.secondary is not None else None

    def is_dynamic(self, engine: Engine, class_: int, name: str, relationship: int) -> bool:
        """Whether the attribute is a query (`lazy="dynamic"`, `WriteOnlyMapped`)."""
        use = self.reports.get(class_, {}).get(name)
        if use is not None and use.relationship == relationship:
            return use.options is not None and use.options.dynamic
        fact = self.relationships.get(relationship)
        if fact is not None and fact.dynamic:
            return True
        return any(
            annotation.name.rsplit(".", 1)[-1] in {"DynamicMapped", "WriteOnlyMapped"}
            for annotation in self.annotations(engine, class_, name)
        )

    def is_named_after_class(self, engine: Engine, class_: int) -> bool:
        """Whether an extension names the class's table after it."""
        return any(
            engine.values.name(base) == BASE and IMPLICIT in engine.values.view(base).parts
            for base in engine.bases(class_)
        )


def _is_of_a_revision(engine: Engine, dotted: str) -> bool:
    """Whether a name is of Alembic's folder: what scripts declare is how a table once was."""
    modules, parts = engine.modules(), dotted.split(".")
    folders = (".".join(parts[:length]) for length in range(1, len(parts)))
    return any(f"{each}.env" in modules and f"{each}.versions" in modules for each in folders)

"""marshmallow, and lima: what dumping and loading by a schema reads, makes and calls."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator

from migrator.graph.framework import Framework
from migrator.graph.frameworks.marshmallow_fields import (
    WHOLE,
    Part,
    SchemaField,
    is_asked,
    reached,
    texts,
    within,
)
from migrator.graph.frameworks.sqlalchemy import SQLAlchemy
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

_FIELD = "marshmallow:field"
_MARSHALS = "marshmallow:marshals"
_PARSES = "marshmallow:parses"
_HOOK = "marshmallow:hook"
_RESULT = "marshmallow:result"
_NESTS = frozenset({"Nested", "Pluck", "List", "Dict", "Embed", "Reference"})
_HOOKS = frozenset(
    {"post_load", "pre_load", "post_dump", "pre_dump", "validates", "validates_schema"}
)
_OF_MODELS = frozenset({"ModelSchema", "SQLAlchemyAutoSchema", "SQLAlchemySchema"})
_DUMPS = frozenset({"marshal_with", "response"})
_LOADS = frozenset({"use_args", "use_kwargs", "arguments", "body"})
"""Decorators of flask-apispec, webargs and APIFairy, with the schema as first argument."""
_ONE_WAY = ("dump_only", "load_only")
_DEEPEST = 4


class Marshmallow(Framework):
    """The plug-in: `schema.dump(x)` reads `x.field` for every field, and so on inside.

    The schema of a model (marshmallow-sqlalchemy) has the model's relationships as fields, and
    loading by it gives an instance of the model: a new one, or that which was given.
    """

    name = "marshmallow"
    externals = (
        "marshmallow", "flask_marshmallow", "marshmallow_sqlalchemy", "flask_apispec", "webargs",
        "apifairy", "lima", "apiflask.Schema", "apiflask.fields", "apiflask.schemas",
    )  # fmt: skip

    def __init__(self, sqlalchemy: SQLAlchemy) -> None:
        self.sqlalchemy = sqlalchemy

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        last = view.name.rsplit(".", 1)[-1]
        if view.name == _MARSHALS:
            return self._marshalled(engine, site, view.parts[0])
        if view.name == _PARSES:
            return self._parsed(engine, site, view.parts[0])
        if view.name == _HOOK:
            return self._hook(engine, site, str(view.parts[0]))
        if last in _HOOKS and view.kind == Kind.EXTERNAL:
            if site.decorates:
                return self._hook(engine, site, last)
            return (engine.values.opaque(_HOOK, last, site.key),)
        if self._is_field(engine, callee, last):
            return (self._field(engine, site, last),)
        if last in _DUMPS:
            return self.marshals(engine, site.argument(0, "schema"))
        if last in _LOADS:
            return self.parses(engine, (*site.argument(0, "argmap"), *site.argument(-1, "schema")))
        if view.kind == Kind.CLASS:
            if not self._is_own_field(engine, callee):
                self._construct(engine, site, callee)
            return None
        if view.kind == Kind.BOUND and engine.values.kind(view.owner) == Kind.INSTANCE:
            return self._call_method(engine, site, view.owner, last)
        return None

    def _call_method(
        self, engine: Engine, site: CallSite, schema: int, method: str
    ) -> Iterable[int] | None:
        class_ = engine.values.view(schema).owner
        if self._is_own_field(engine, class_):
            return None
        if method == "__init__":
            self._construct(engine, site, class_)
            return None
        if method in {"dump", "dumps", "jsonify"}:
            self.seen = True
            self._dump(engine, site, class_, site.argument(0, "obj"))
            return None
        if method in {"load", "loads", "validate"}:
            self.seen = True
            return self._load(engine, site, class_, site.argument(-1, "instance"))
        return None

    def _construct(self, engine: Engine, site: CallSite, class_: int) -> None:
        """`Schema(instance=x)`: what `load` then changes; `load_instance=True`: it makes one."""
        variable = site.argument_variable(-1, "instance")
        if variable is not None:
            engine.flow(variable, engine.slot("marshmallow", "instance", class_))
        if site.constant(-1, "load_instance") is True:
            engine.add(
                engine.slot("marshmallow", "load_instance", class_), engine.values.string("yes")
            )

    def marshals(self, engine: Engine, schemas: Iterable[int]) -> list[int]:
        """Decorators after which what a view returns is dumped by the schemas."""
        return [engine.values.opaque(_MARSHALS, each) for each in self._classes(engine, schemas)]

    def parses(self, engine: Engine, schemas: Iterable[int]) -> list[int]:
        """Decorators before which the arguments of a view are loaded by the schemas."""
        return [engine.values.opaque(_PARSES, each) for each in self._classes(engine, schemas)]

    # -- fields -----------------------------------------------------------------------------------

    def _is_field(self, engine: Engine, callee: int, last: str) -> bool:
        if not last[:1].isupper() or last.endswith("Schema"):
            return last == "auto_field"
        name = engine.values.name(callee)
        return ".fields." in name or (
            engine.values.kind(callee) == Kind.BOUND and name.startswith("flask_marshmallow.")
        )

    def _field(self, engine: Engine, site: CallSite, last: str) -> int:
        nested = engine.slot("marshmallow", "nested", site.key)
        called = engine.slot("marshmallow", "called", site.key)
        if last in _NESTS:
            engine.add(nested, *site.argument(0, "nested"), *site.argument(-1, "schema"))
        if last == "Function":
            engine.add(called, *site.argument(0, "serialize"))
        for option in ("only", "exclude"):
            engine.add(engine.slot("marshmallow", option, nested), *site.argument(-1, option))
        for value in site.argument(-1, "validate"):
            inside = engine.values.kind(value) == Kind.CONTAINER
            engine.add(called, *(engine.points_to(engine.element(value)) if inside else (value,)))
        attribute = site.text(-1, "attribute") or site.text(-1, "attr") or ""
        method = (site.text(0, "serialize") or "") if last == "Method" else ""
        one_way = next((each for each in _ONE_WAY if site.constant(-1, each) is True), "")
        return engine.values.opaque(_FIELD, attribute, nested, called, method, one_way, last)

    def _is_own_field(self, engine: Engine, class_: int) -> bool:
        """Whether a class of the project is one of fields."""
        names = (engine.values.name(base) for base in engine.bases(class_))
        return any(each.startswith("marshmallow.fields.") for each in names)

    def _fields(self, engine: Engine, schema: int) -> Iterator[SchemaField]:
        for owner in engine.bases(schema):
            if engine.values.kind(owner) == Kind.CLASS:
                for attribute in engine.class_view(owner).attributes:
                    for value in engine.points_to(attribute.variable):
                        view = engine.values.view(value)
                        if view.kind == Kind.INSTANCE and self._is_own_field(engine, view.owner):
                            name, nothing = attribute.name, engine.slot("marshmallow", "nothing")
                            yield SchemaField(name, name, nothing, nothing, "", "", value)
                        if view.name == _FIELD:
                            text, nested, called, method, way, _ = engine.values.view(value).parts
                            assert isinstance(nested, int) and isinstance(called, int)
                            name = attribute.name
                            told = str(text) or name
                            yield SchemaField(
                                name, told, nested, called, str(method), str(way),
                                part=self._part(engine, nested),
                            )  # fmt: skip

    @staticmethod
    def _part(engine: Engine, nested: int) -> Part:
        """What `Nested(..., only=..., exclude=...)` asks of its schema."""
        only, exclude = (
            frozenset(filter(None, texts(engine, engine.points_to(slot))))
            for slot in (engine.slot("marshmallow", each, nested) for each in ("only", "exclude"))
        )
        return only or None, exclude

    def _dumped(self, engine: Engine, schema: int) -> Iterator[SchemaField]:
        return (each for each in self._fields(engine, schema) if each.one_way != "load_only")

    def _loaded(self, engine: Engine, schema: int) -> Iterator[SchemaField]:
        return (each for each in self._fields(engine, schema) if each.one_way != "dump_only")

    def _classes(self, engine: Engine, values: Iterable[int]) -> list[int]:
        """The schema classes among values: classes, and those of instances."""
        views = [engine.values.view(each) for each in values]
        found = [each.owner if each.kind == Kind.INSTANCE else each.id for each in views]
        return [each for each in found if engine.values.kind(each) == Kind.CLASS]

    def _nested(self, engine: Engine, schema: int, slot: int) -> Iterator[int]:
        """The schema classes of a nested field: a class, an instance, a name, or itself."""
        for value in engine.points_to(slot):
            view = engine.values.view(value)
            if view.kind == Kind.STRING:
                yield from (schema,) if view.name == "self" else engine.class_named(view.name)
            elif view.name == _FIELD:
                inner = view.parts[1]
                assert isinstance(inner, int)
                yield from self._nested(engine, schema, inner)
            elif view.kind == Kind.FUNCTION:
                continue
            else:
                yield from self._classes(engine, [value])

    # -- models -----------------------------------------------------------------------------------

    def _option(self, engine: Engine, schema: int, name: str) -> tuple[int, ...]:
        """What `class Meta` of a schema holds under a name."""
        variable = engine.class_attribute(schema, "Meta")
        found: list[int] = []
        for meta in engine.points_to(variable) if variable is not None else ():
            if engine.values.kind(meta) == Kind.CLASS:
                held = engine.class_attribute(meta, name)
                found += engine.points_to(held) if held is not None else ()
        return tuple(found)

    def _model(self, engine: Engine, schema: int) -> int | None:
        """The model of a schema that marshmallow-sqlalchemy derives from one."""
        bases = {engine.values.name(base).rsplit(".", 1)[-1] for base in engine.bases(schema)}
        if bases & _OF_MODELS:
            for value in self._option(engine, schema, "model"):
                if self.sqlalchemy.declared.is_model(value):
                    return value
        return None

    def _makes_instances(self, engine: Engine, schema: int) -> bool:
        """Whether loading gives a model's instance: `ModelSchema`, else only where it is asked."""
        bases = {engine.values.name(base).rsplit(".", 1)[-1] for base in engine.bases(schema)}
        asked = engine.points_to(engine.slot("marshmallow", "load_instance", schema))
        told = asked or self._option(engine, schema, "load_instance")
        return "ModelSchema" in bases or bool(told)

    def _related(self, engine: Engine, schema: int, model: int) -> list[str]:
        """The model's relationships that are fields of its schema without being written there."""
        bases = {engine.values.name(base).rsplit(".", 1)[-1] for base in engine.bases(schema)}
        if "ModelSchema" not in bases and not self._option(engine, schema, "include_relationships"):
            return []
        left_out = set(texts(engine, self._option(engine, schema, "exclude")))
        only = set(texts(engine, self._option(engine, schema, "fields")))
        names = self.sqlalchemy.declared.relationship_names(engine, model)
        return [each for each in names if each not in left_out and (not only or each in only)]

    # -- dumping ----------------------------------------------------------------------------------

    def _marshalled(self, engine: Engine, site: CallSite, schema: Hashable) -> Iterable[int]:
        """What a view returns is dumped in its name."""
        views = site.argument(0)
        for view in views:
            place = engine.inside(view)
            if place is not None and isinstance(schema, int):
                returned = engine.points_to(engine.invoke(site, view, [], edge=False))
                self._dump(engine, place, schema, returned)
        return views

    def _dump(
        self,
        engine: Engine,
        site: Site,
        schema: int,
        objects: Iterable[int],
        depth: int = 0,
        part: Part = WHOLE,
    ) -> None:
        if depth > _DEEPEST:
            return
        single: list[int] = []
        for each in objects:
            single += [each, *engine.points_to(engine.iterate(site, each))]
        found = [each for each in single if engine.values.kind(each) == Kind.INSTANCE]
        single = list(dict.fromkeys(found))
        for field in self._dumped(engine, schema):
            if not is_asked(part, field.name):
                continue
            inside: list[int] = []
            for each in single:
                inside += reached(engine, site, each, field.attribute)
            if field.own is not None:
                self._serialise(engine, site, field.own, inside, single)
            for inner in self._nested(engine, schema, field.nested):
                asked = within(part, field.name, field.part)
                self._dump(engine, site, inner, inside, depth + 1, asked)
            self._compute(engine, site, schema, field, single)
        model = self._model(engine, schema)
        for name in self._related(engine, schema, model) if model is not None else ():
            for each in single if is_asked(part, name) else ():
                engine.attribute(site, each, name)
        self._run_hooks(engine, site, schema, ("pre_dump", "post_dump"))

    @staticmethod
    def _serialise(
        engine: Engine, site: Site, field: int, given: Iterable[int], objects: Iterable[int]
    ) -> None:
        """A field of the project's own turns a value of an object into what is dumped."""
        value = engine.slot("marshmallow", "serialised", field, site.key)
        whole = engine.slot("marshmallow", "serialised of", field, site.key)
        engine.add(value, *given)
        engine.add(whole, *objects)
        nothing = engine.slot("marshmallow", "nothing")
        for function in engine.points_to(engine.attribute(site, field, "_serialize")):
            engine.invoke(site, function, [value, nothing, whole])

    def _compute(
        self, engine: Engine, site: Site, schema: int, field: SchemaField, objects: Iterable[int]
    ) -> None:
        """`fields.Function(f)` and `fields.Method("name")` are called with what is dumped."""
        argument = engine.slot("marshmallow", "dumped", site.key)
        engine.add(argument, *objects)
        functions = [*engine.points_to(field.called)]
        if field.method:
            instance = engine.values.instance(schema)
            functions += engine.points_to(engine.attribute(site, instance, field.method))
        for function in functions:
            engine.invoke(site, function, [argument])

    # -- loading ----------------------------------------------------------------------------------

    def _parsed(self, engine: Engine, site: CallSite, schema: Hashable) -> Iterable[int]:
        """The arguments of a view are loaded in its name."""
        for view in site.argument(0):
            place = engine.inside(view)
            if place is not None and isinstance(schema, int):
                self._load(engine, place, schema, ())
        return site.argument(0)

    def _load(
        self, engine: Engine, site: Site, schema: int, instances: Iterable[int]
    ) -> Iterable[int] | None:
        """`schema.load(data)`: the values that come out."""
        for field in self._loaded(engine, schema):
            for function in engine.points_to(field.called):
                engine.invoke(site, function, [])
        made = self._run_hooks(
            engine, site, schema, ("pre_load", "validates", "validates_schema", "post_load")
        )
        model = self._model(engine, schema)
        given = [*instances, *engine.points_to(engine.slot("marshmallow", "instance", schema))]
        if model is None or not (given or self._makes_instances(engine, schema)):
            return made or None
        self._fill(engine, site, schema, model, changes=bool(given), depth=0)
        instance = engine.values.instance(model)
        return (*made, instance, engine.values.opaque(_RESULT, instance))

    def _fill(
        self, engine: Engine, site: Site, schema: int, model: int, *, changes: bool, depth: int
    ) -> None:
        """An instance is looked up by its key and gets what the data hold, nested ones too."""
        facts = self.sqlalchemy.facts
        facts.note(site, "read", model, via="schema.load")
        if changes:
            facts.note(site, "update", model, via="schema.load")
        for field in self._loaded(engine, schema) if depth < _DEEPEST else ():
            for inner in self._nested(engine, schema, field.nested):
                target = self._model(engine, inner)
                if target is not None:
                    facts.note(site, "load", model, field.attribute)
                    facts.note(site, "relate", model, field.attribute, via="schema.load")
                    facts.note(site, "insert", target, via="schema.load")
                    self._fill(engine, site, inner, target, changes=True, depth=depth + 1)
        for name in self._related(engine, schema, model):
            facts.note(site, "load", model, name)
            facts.note(site, "relate", model, name, via="schema.load")

    # -- hooks ------------------------------------------------------------------------------------

    def _hook(self, engine: Engine, site: CallSite, kind: str) -> tuple[int, ...]:
        for function in site.argument(0):
            engine.add(engine.slot("marshmallow", "hooks", function), engine.values.string(kind))
        return site.argument(0)

    def _run_hooks(
        self, engine: Engine, site: Site, schema: int, kinds: tuple[str, ...]
    ) -> tuple[int, ...]:
        """Call the schema's own hooks; gives what `post_load` returns."""
        made: list[int] = []
        instance = engine.values.instance(schema)
        for owner in engine.bases(schema):
            if engine.values.kind(owner) != Kind.CLASS:
                continue
            for attribute in engine.class_view(owner).attributes:
                for function in engine.points_to(attribute.variable):
                    if engine.values.kind(function) != Kind.FUNCTION:
                        continue
                    held = engine.points_to(engine.slot("marshmallow", "hooks", function))
                    for kind in {engine.values.name(each) for each in held} & set(kinds):
                        bound = engine.values.bound(instance, function)
                        result = engine.points_to(engine.invoke(site, bound, []))
                        made += result if kind == "post_load" else ()
        return tuple(dict.fromkeys(made))

    # -- results ----------------------------------------------------------------------------------

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        if engine.values.name(receiver) == _RESULT and name == "data":
            return (int(str(engine.values.view(receiver).parts[0])),)
        return None

    def iterate(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        if engine.values.name(receiver) == _RESULT:
            return (int(str(engine.values.view(receiver).parts[0])),)
        return None

"""What frameworks may ask of the linker and have it do; implements `frameworks.Engine`."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from migrator.facts import ir
from migrator.graph.linking import calling, items, lookup, operators, variants
from migrator.graph.linking.definitions import Class, Function, Variant
from migrator.graph.linking.sites import PlaceView
from migrator.graph.linking.values import Kind, Values
from migrator.graph.protocol import Annotation, ClassAttribute, ClassView, Site
from migrator.graph.receivers import State

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker


class LinkerEngine:
    """A narrow view of the linker."""

    def __init__(self, linker: Linker) -> None:
        self._linker = linker
        self._by_name: dict[str, list[int]] = {}
        for class_ in linker.classes:
            for name in {class_.name, class_.name.rpartition(".")[2]}:
                self._by_name.setdefault(name, []).append(class_.value)

    @property
    def values(self) -> Values:
        return self._linker.values

    def points_to(self, variable: int) -> tuple[int, ...]:
        return self._linker.points_to(variable)

    def slot(self, *name: Hashable) -> int:
        return self._linker.slot("framework", *name)

    def field(self, value: int, name: str) -> int:
        return self._linker.field(value, name)

    def element(self, container: int) -> int:
        return self._linker.containers.of(container).every

    def held(self, container: int) -> tuple[int, ...]:
        return self._linker.containers.held(container)

    def container(self, name: str, site: Site, *elements: int) -> int:
        value = self._linker.values.container(name, "framework", site.key, *elements)
        for element in elements:
            self._linker.put(self._linker.containers.of(value).element, element)
        return value

    def add(self, variable: int, *values: int) -> None:
        self._linker.add(variable, *values)

    def wait(self) -> bool:
        return self._linker.wait()

    def flow(self, source: int, target: int) -> None:
        self._linker.flow(source, target)

    def invoke(
        self,
        site: Site,
        callee: int,
        arguments: Sequence[int] = (),
        keywords: Mapping[str, int] | None = None,
        *,
        edge: bool = True,
    ) -> int:
        assert isinstance(site, PlaceView)
        variant, index = site.place
        given = calling.Arguments(tuple(arguments), tuple((keywords or {}).items()))
        target = self._linker.slot("invoked", site.key, callee, given, edge)
        calling.call_value(self._linker, variant, index, callee, given, target, edge=edge)
        return target

    def new_instance(self, site: Site, class_: int) -> int:
        assert isinstance(site, PlaceView)
        return self._linker.apart.new_instance(class_, *site.place)

    def captured(self, function: int) -> tuple[int, ...]:
        known = self._linker.function_of_value.get(function)
        if known is None or known[1] is None:
            return ()
        definition, env = known[0], known[1]
        variables = (
            holder.base + local
            for owner, local in definition.facts.refs
            if (holder := env.around(definition.module.functions[owner])) is not None
        )
        found = (each for variable in variables for each in self._linker.points_to(variable))
        return tuple(dict.fromkeys(found))

    def tell_apart(self, class_: int) -> None:
        self._linker.apart.tell_apart(class_)

    def attribute(self, site: Site, receiver: int, name: str) -> int:
        assert isinstance(site, PlaceView)
        variant, index = site.place
        if self._linker.has_slot("attribute", site.key, receiver, name):
            return self._linker.slot("attribute", site.key, receiver, name)
        target = self._linker.slot("attribute", site.key, receiver, name)
        lookup.load(self._linker, receiver, (variant, index, name, target))
        return target

    def iterate(self, site: Site, receiver: int) -> int:
        assert isinstance(site, PlaceView)
        variant, index = site.place
        if self._linker.has_slot("iterated", site.key, receiver):
            return self._linker.slot("iterated", site.key, receiver)
        target = self._linker.slot("iterated", site.key, receiver)
        operators.iterator(self._linker)(receiver, (variant, index, target))
        return target

    def item(self, site: Site, receiver: int, key: Hashable | None) -> int:
        assert isinstance(site, PlaceView)
        linker = self._linker
        variant, index = site.place
        if linker.has_slot("item", site.key, receiver, key):
            return linker.slot("item", site.key, receiver, key)
        target = linker.slot("item", site.key, receiver, key)
        items.read_item(linker, variant, index, receiver, key, target)
        return target

    def inside(self, function: int) -> Site | None:
        known = self._linker.function_of_value.get(function)
        if known is None:
            return None
        return PlaceView(self._linker, self._linker.general(*known), 0)

    def beginnings(self, function: int) -> tuple[Site, ...]:
        known = self._linker.function_of_value.get(function)
        if known is None:
            return ()
        variants, env_id = known[0].variants, known[1].id if known[1] is not None else -1
        found = [each for key, each in variants.items() if key[0] == env_id]
        return tuple(PlaceView(self._linker, each, 0) for each in found)

    def keys(self, container: int) -> tuple[Hashable, ...]:
        known = self._linker.containers.of(container).slots
        return tuple(key for _, key in known)

    def under(self, container: int, key: Hashable) -> tuple[int, ...]:
        known = self._linker.containers.of(container).slots.get((type(key), key))
        return self.points_to(known) if known is not None else ()

    def runs(self, value: int) -> tuple[str, ...]:
        linker = self._linker
        states, name = self.running(value)
        return tuple(sorted({linker.key_of(*each) for each in states})) or ((name,) if name else ())

    def running(self, value: int) -> tuple[list[State], str]:
        """What runs when a function value is called; the function's name if nothing of it does."""
        linker, values = self._linker, self._linker.values
        function_value, receiver = value, None
        while values.kinds[function_value] == Kind.PARTIAL:
            function_value = values.owners[function_value]
        if values.kinds[function_value] == Kind.BOUND:
            receiver = values.owners[function_value]
            function_value = values.functions[function_value]
        known = linker.function_of_value.get(function_value)
        if known is None:
            return [], ""
        function, env = known
        class_value = linker.class_behind(receiver) if receiver is not None else None
        found = self._variants(function, env, value, receiver, class_value)
        return [linker.state(each, class_value) for each in found], function.name

    def _variants(
        self,
        function: Function,
        env: Variant | None,
        value: int,
        receiver: int | None,
        class_value: int | None,
    ) -> Iterable[Variant]:
        linker, known = self._linker, function.variants
        if linker.values.kinds[value] == Kind.PARTIAL:
            for key, variant in known.items():
                if key[1:] == ("partial", value):
                    return (variant,)
        if receiver is not None and linker.values.is_apart(receiver):
            apart = [v for key, v in known.items() if key[1] == "place" and key[-1] == receiver]
            if apart:
                return apart
        env_id = env.id if env is not None else -1
        chosen = known.get((env_id, "receiver", class_value))
        if chosen is None and not variants.told_by_place(linker, function):
            chosen = known.get((env_id, "general"))
        if chosen is not None:
            return (chosen,)
        return [variant for key, variant in known.items() if key[0] == env_id]

    def resolve(self, dotted: str) -> tuple[int, ...]:
        linker = self._linker
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            module = linker.modules.get(".".join(parts[:end]))
            if module is None:
                continue
            if end == len(parts):
                return (module.value,)
            variable = linker.module_attribute(module, parts[end])
            if variable is None:
                variable = linker.field(module.value, parts[end])
            found = linker.points_to(variable)
            for name in parts[end + 1 :]:
                found = tuple(
                    inner
                    for each in found
                    if (inside := linker.class_attribute_variable(each, name)) is not None
                    for inner in linker.points_to(inside)
                )
            return found
        return () if parts[0] in linker.tops else linker.imported(dotted)

    def modules(self) -> Collection[str]:
        return self._linker.modules.keys()

    def class_view(self, class_: int) -> ClassView:
        known = self._linker.class_of_value[class_]
        facts = known.facts
        return ClassView(
            class_,
            known.name,
            known.module.file,
            facts.line,
            facts.end_line,
            tuple(
                ClassAttribute(
                    name,
                    known.attributes.get(name, -1),
                    line,
                    self._annotation(known, annotation) if annotation is not None else None,
                )
                for name, _, line, annotation in facts.attributes
                if name in known.attributes
            ),
            dict(known.keywords),
        )

    def _annotation(self, class_: Class, annotation: ir.Annotation) -> Annotation:
        text, head, arguments = annotation
        name = text.partition("[")[0]
        values: tuple[int, ...] = ()
        if head is not None and class_.owner is not None:
            values = tuple(
                each
                for each in self._linker.points_to(class_.owner.variable(head))
                if self._linker.values.kinds[each] in (Kind.CLASS, Kind.EXTERNAL)
            )
        elif name in ("int", "str", "bool", "float", "bytes", "object"):
            values = (self._linker.values.external(f"builtins.{name}"),)
        if values:
            name = self._linker.values.names[values[0]]
        elif name and "." not in name and not arguments:
            values = self.class_named(name)
            name = self._linker.values.names[values[0]] if values else name
        inner = tuple(self._annotation(class_, each) for each in arguments)
        return Annotation(text, name, values, inner)

    def parameters(self, function: int) -> tuple[tuple[str, bool, str], ...]:
        known = self._linker.function_of_value.get(function)
        return tuple(
            (each.name, each.has_default, each.annotation[0] if each.annotation else "")
            for each in (known[0].facts.parameters if known is not None else ())
            if each.kind in (ir.POSITIONAL_ONLY, ir.POSITIONAL)
        )

    def bases(self, class_: int) -> tuple[int, ...]:
        order = self._linker.order(class_)
        known = [each for each in order if each in self._linker.class_of_value]
        return (*known, *(each for each in order if each not in self._linker.class_of_value))

    def subclasses(self, class_: int) -> tuple[int, ...]:
        linker = self._linker
        found: dict[int, None] = {}
        waiting = [linker.class_of_value[class_]]
        while waiting:
            for index in waiting.pop().subclasses:
                each = linker.classes[index]
                if each.value not in found:
                    found[each.value] = None
                    waiting.append(each)
        return tuple(sorted(found, key=lambda each: linker.values.names[each]))

    def adopt(self, class_: int, base: int) -> None:
        linker = self._linker
        known = linker.class_of_value[class_]
        if not any(base in group for group in known.bases):
            known.bases.append([])
            linker.add_base(known, len(known.bases) - 1, base)
            linker.foreign.class_has_base(known)

    def class_attribute(self, class_: int, name: str) -> int | None:
        return self._linker.class_attribute_variable(class_, name)

    def class_named(self, name: str) -> tuple[int, ...]:
        return tuple(self._by_name.get(name, ()))

    def name_of(self, value: int) -> str:
        return self._linker.values.names[value]

    def file_of(self, value: int) -> tuple[str, int, int]:
        linker = self._linker
        class_ = linker.class_of_value.get(value)
        if class_ is not None:
            return class_.module.file, class_.facts.line, class_.facts.end_line
        function = linker.function_of_value.get(value)
        if function is not None:
            facts = function[0].facts
            return function[0].module.file, facts.line, facts.end_line
        module = linker.module_of_value.get(value)
        return (module.file, 1, 1) if module is not None else ("", 0, 0)

"""Attributes that code computes: hybrids, association proxies, properties of SQL expressions."""

from __future__ import annotations

from collections.abc import Iterable

from migrator.graph.effects.mapping import ADDS, REMOVES
from migrator.graph.linking.values import Kind
from migrator.graph.orm.facts import Facts
from migrator.graph.orm.instances import Instances
from migrator.graph.orm.queries import COLLECTION
from migrator.graph.protocol import CallSite, Engine, Site, StoreSite

HYBRID = "sqlalchemy:hybrid"
PROXY = "sqlalchemy:association_proxy"
PROXIED = "sqlalchemy:proxied"
COMPUTED = "sqlalchemy:column_property"

_ACCESSORS = frozenset({"getter", "setter", "deleter", "expression", "update_expression"})


class Computed:
    """What reading, calling and storing such attributes does."""

    def __init__(self, facts: Facts, instances: Instances) -> None:
        self.facts = facts
        self.instances = instances

    # -- hybrids ----------------------------------------------------------------------------------

    def hybrid(self, engine: Engine, site: CallSite) -> list[int]:
        """`@hybrid_property`: with an instance its getter runs, with a class its expression."""
        found = []
        for function in site.argument(0, "fget"):
            value = engine.values.opaque(HYBRID, function)
            engine.add(engine.slot("sqlalchemy", "hybrid", "getter", value), function)
            for name in ("setter", "expression"):
                slot = engine.slot("sqlalchemy", "hybrid", name, value)
                engine.add(slot, *site.argument(-1, "fset" if name == "setter" else "expr"))
            found.append(value)
        return found

    def accessor(self, engine: Engine, site: CallSite, hybrid: int, name: str) -> Iterable[int]:
        """`@total.expression`: another function of the same attribute."""
        if name in _ACCESSORS:
            slot = engine.slot("sqlalchemy", "hybrid", name, hybrid)
            engine.add(slot, *site.argument(0))
        return (hybrid,)

    def read_hybrid(
        self, engine: Engine, site: Site, hybrid: int, receiver: int
    ) -> tuple[int, ...]:
        """`x.total` and `X.total`."""
        values = engine.values
        functions: tuple[int, ...] = ()
        if values.kind(receiver) != Kind.INSTANCE:
            slot = engine.slot("sqlalchemy", "hybrid", "expression", hybrid)
            functions = engine.points_to(slot)
        functions = functions or engine.points_to(
            engine.slot("sqlalchemy", "hybrid", "getter", hybrid)
        )
        found: list[int] = []
        for function in functions:
            if values.kind(function) == Kind.DESCRIPTOR:
                function = values.view(function).owner
            result = engine.invoke(site, values.bound(receiver, function), [])
            found += engine.points_to(result)
        return tuple(found)

    def store(self, engine: Engine, site: StoreSite, receiver: int, name: str) -> None:
        """`x.total = 3`: the setter runs."""
        variable = engine.class_attribute(engine.values.view(receiver).owner, name)
        for value in engine.points_to(variable) if variable is not None else ():
            if engine.values.name(value) != HYBRID:
                continue
            slot = engine.slot("sqlalchemy", "hybrid", "setter", value)
            for function in engine.points_to(slot):
                bound = engine.values.bound(receiver, function)
                engine.invoke(site, bound, [site.variable])

    # -- association proxies ----------------------------------------------------------------------

    def proxy(self, engine: Engine, site: CallSite) -> int:
        """`association_proxy("links", "keyword", creator=f)`."""
        value = engine.values.opaque(PROXY, site.text(0) or "", site.text(1) or "", site.key)
        engine.add(engine.slot("sqlalchemy", "creator", value), *site.argument(-1, "creator"))
        return value

    def read_proxy(self, engine: Engine, site: Site, proxy: int, receiver: int) -> list[int]:
        """`post.keywords`: the links are loaded, and of each its keyword."""
        relation, attribute = engine.values.view(proxy).parts[:2]
        found: list[int] = []
        for link in engine.points_to(engine.attribute(site, receiver, str(relation))):
            if engine.values.name(link) == COLLECTION:
                found.append(engine.values.opaque(PROXIED, link, str(attribute), proxy))
            elif engine.values.kind(link) == Kind.INSTANCE:
                found += engine.points_to(engine.attribute(site, link, str(attribute)))
        return found

    def proxied_elements(self, engine: Engine, site: Site, proxied: int) -> tuple[int, ...]:
        """`for keyword in post.keywords`."""
        link, attribute, _ = engine.values.view(proxied).parts
        target = int(str(engine.values.view(int(str(link))).parts[2]))
        variable = engine.attribute(site, engine.values.instance(target), str(attribute))
        return engine.points_to(variable)

    def proxied_call(
        self, engine: Engine, site: CallSite, proxied: int, method: str
    ) -> Iterable[int] | None:
        """`post.keywords.append(k)`: a link to it is made."""
        link, _, proxy = engine.values.view(proxied).parts
        collection = int(str(link))
        class_, name, target = engine.values.view(collection).parts[:3]
        if method in ADDS | REMOVES:
            self.facts.note(site, "relate", int(str(class_)), str(name), via=method)
        if method in ADDS:
            self.facts.note(site, "insert", int(str(target)), via="association proxy")
            for position in range(site.positional):
                self.instances.link(engine, site.argument(position))
            creators = engine.points_to(engine.slot("sqlalchemy", "creator", int(str(proxy))))
            variable = site.argument_variable(0)
            for creator in creators or (int(str(target)),):
                engine.invoke(site, creator, [variable] if variable is not None else [])
        return self.proxied_elements(engine, site, proxied)

"""Attributes: which values `receiver.name` gives, and where `receiver.name = value` goes."""

from __future__ import annotations

import builtins
import collections
import pathlib
from typing import TYPE_CHECKING, Any

from migrator.facts import ir
from migrator.graph.linking import calling
from migrator.graph.linking.definitions import Variant
from migrator.graph.linking.solver import NOWHERE
from migrator.graph.linking.values import Kind

if TYPE_CHECKING:
    from migrator.graph.linking.linker import Linker

_LONGEST = 12
"""Outside dotted names are not made longer than this many parts."""

_NOTHING = -1

_WITHOUT_ATTRIBUTES = ("builtins.object", "typing.Generic", "typing.Protocol", "abc.ABC")
"""Outside bases that have no attributes to inherit."""

Load = tuple[Variant, int, str, int]
"""Variant and instruction of the place, the attribute, the variable that gets its values."""


def load(linker: Linker, receiver: int, data: Load) -> None:
    """Watcher of the base of an attribute that is read."""
    kind = linker.values.kinds[receiver]
    if kind == Kind.INSTANCE:
        _load_instance(linker, receiver, data)
        if "__class__" in linker.stored:
            became = linker.slot("became", linker.values.owners[receiver])
            linker.watch(became, linker.on_became, data)
    elif kind == Kind.CLASS:
        _load_class(linker, receiver, data)
    elif kind == Kind.MODULE:
        _load_module(linker, receiver, data)
    elif kind == Kind.SUPER:
        _load_super(linker, receiver, data)
    else:
        _load_other(linker, receiver, kind, data)


def _load_instance(linker: Linker, receiver: int, data: Load) -> None:
    _, _, name, target = data
    class_value = linker.values.owners[receiver]
    if name == "__class__":
        linker.put(target, class_value)
        return
    if name in linker.stored:
        linker.read_field(receiver, name, target)
    planned = plan(linker, class_value, name)
    if planned is None:
        if not _search(linker, receiver, linker.order(class_value), data, instance=True):
            _fall_back(linker, receiver, class_value, data)
    elif planned != NOWHERE:
        linker.watch(planned, linker.on_bind, (data, receiver, True))
    elif name not in linker.stored:
        linker.unresolved_attribute(data)
    _depend(linker, class_value, receiver, data)


def load_as(linker: Linker, value: int, data: Load) -> None:
    """Watcher of the classes that instances of a class are given instead of their own."""
    if linker.values.kinds[value] == Kind.CLASS:
        _load_instance(linker, linker.values.instance(value), data)


def _load_class(linker: Linker, receiver: int, data: Load) -> None:
    _, _, name, target = data
    if name == "__name__":
        linker.put(target, linker.values.string(linker.values.names[receiver].rpartition(".")[2]))
        return
    planned = plan(linker, receiver, name)
    if planned:
        linker.watch(planned, linker.on_bind, (data, receiver, False))
    elif not _search(linker, receiver, linker.order(receiver), data, instance=False):
        metaclasses = linker.metaclasses(receiver)
        found = any(
            _search(linker, receiver, linker.order(each), data, instance=True)
            for each in metaclasses
        )
        if not found:
            linker.unresolved_attribute(data)
    _depend(linker, receiver, receiver, data)


def plan(linker: Linker, class_value: int, name: str) -> int | None:
    """How instances of a class come by an attribute, where only the project's classes say so.

    It is the variable of the first class in C3 order that binds the name, or NOWHERE where none
    does. None means that more has to be looked at: frameworks, outside bases, `__getattr__`, what
    is set on classes, or a name that is perhaps only annotated.
    """
    if not linker.closing or name in linker.stored_on_classes:
        return None
    plans = linker.plans.get(name)
    if plans is None:
        plans = linker.plans[name] = {}
    if class_value in plans:
        return plans[class_value]
    made = plans[class_value] = _make_plan(linker, class_value, name)
    return made


def _make_plan(linker: Linker, class_value: int, name: str) -> int | None:
    inherits = False
    for base in linker.order(class_value):
        class_ = linker.class_of_value.get(base)
        if class_ is None:
            if linker.values.kinds[base] == Kind.OPAQUE or linker.frameworks_of(base):
                return None
            dotted = linker.values.names[base]
            inherits |= not dotted.startswith(_WITHOUT_ATTRIBUTES) and not _lacks(dotted, name)
            continue
        variable = class_.attributes.get(name)
        if variable is not None:
            return None if name in class_.annotated else variable
    if inherits or any(
        linker.class_attribute_variable(class_value, each) is not None
        for each in ("__getattr__", "__getattribute__")
    ):
        return None
    return NOWHERE


def _depend(linker: Linker, class_value: int, receiver: int, data: Load) -> None:
    """Search again when the class turns out to have another base."""
    class_ = linker.class_of_value[class_value]
    if not class_.settled:
        class_.dependents.append((linker.on_load, receiver, data))


def _load_super(linker: Linker, value: int, data: Load) -> None:
    class_value, receiver = linker.values.functions[value], linker.values.owners[value]
    is_instance = linker.values.kinds[receiver] == Kind.INSTANCE
    own = linker.values.owners[receiver] if is_instance else receiver
    order = linker.order(own)
    after = order[order.index(class_value) + 1 :] if class_value in order else ()
    _search(linker, receiver, after, data, instance=is_instance)
    _depend(linker, own, value, data)


def _search(
    linker: Linker, receiver: int, order: tuple[int, ...], data: Load, *, instance: bool
) -> bool:
    """Look through classes in order; True when the name is there, or may be in an outside base."""
    variant, index, name, target = data
    outside: list[int] = []
    annotated = False
    for base in order:
        class_ = linker.class_of_value.get(base)
        if class_ is None:
            outside.append(base)
            if linker.frameworks_of(base) and linker.foreign.attribute(
                variant, index, receiver, name, base, target
            ):
                return True
            continue
        if name in linker.stored_on_classes:
            linker.watch(linker.field(base, name), linker.on_bind, (data, receiver, instance))
        variable = class_.attributes.get(name)
        if variable is not None:
            linker.watch(variable, linker.on_bind, (data, receiver, instance))
            if linker.held[variable] is not None or name not in class_.annotated:
                return True
            annotated = True  # perhaps only that: then an outside base says what it is
    if annotated:
        return True
    known = [base for base in outside if linker.values.kinds[base] != Kind.OPAQUE]
    for base in known:
        dotted = linker.values.names[base]
        if not dotted.startswith(_WITHOUT_ATTRIBUTES) and not _lacks(dotted, name):
            _inherit(linker, receiver, dotted, data, instance=instance)
            return True
    return bool(outside) and len(known) < len(outside)


def _inherit(linker: Linker, receiver: int, base: str, data: Load, *, instance: bool) -> None:
    """An attribute that only an outside base can have, unless the project itself stores it."""
    _, _, name, target = data
    found = linker.values.bound(receiver, linker.values.external(f"{base}.{name}"))
    if instance and name in linker.stored:
        stored = linker.field(receiver, name)
        linker.unless_known(stored, lambda: linker.put(target, found))
    else:
        linker.put(target, found)


def _fall_back(linker: Linker, receiver: int, class_value: int, data: Load) -> None:
    """`__getattr__`, where a class has one; else the attribute is counted as unresolved."""
    variant, index, name, target = data
    found = linker.class_attribute_variable(class_value, "__getattr__")
    if found is None:
        found = linker.class_attribute_variable(class_value, "__getattribute__")
    if found is not None and not name.startswith("__"):
        given = [linker.constant_variable(name)]
        place = (linker, variant, index, found, receiver, given, target)
        if name in linker.stored:
            stored = linker.field(receiver, name)
            linker.unless_known(stored, lambda: calling.invoke_all(*place))
        else:
            calling.invoke_all(*place)
        return
    if name not in linker.stored:
        linker.unresolved_attribute(data)


def bind(linker: Linker, found: int, data: tuple[Load, int, bool]) -> None:
    """The descriptor protocol, for what the class of a receiver holds under the name."""
    (variant, index, name, target), receiver, instance = data
    values = linker.values
    kind = values.kinds[found]
    if kind == Kind.FUNCTION:
        if not instance:
            linker.put(target, found)
        elif not calling.call_at_once(linker, variant, index, target, found, receiver):
            linker.put(target, values.bound(receiver, found))
    elif kind == Kind.DESCRIPTOR:
        what, wrapped = values.names[found], values.owners[found]
        if what == "builtins.staticmethod":
            linker.put(target, wrapped)
        elif what == "builtins.classmethod":
            class_value = values.owners[receiver] if instance else receiver
            if values.kinds[wrapped] != Kind.FUNCTION or not calling.call_at_once(
                linker, variant, index, target, wrapped, class_value
            ):
                linker.put(target, values.bound(class_value, wrapped))
        elif what == "builtins.property.setter":
            pass
        elif instance:
            calling.call_value(
                linker, variant, index, wrapped, calling.NO_ARGUMENTS, target, receiver
            )
        else:
            linker.put(target, found)
    elif found in linker.factories:
        pass  # the instance holds what this declaration makes
    elif kind in (Kind.OPAQUE, Kind.EXTERNAL_INSTANCE, Kind.EXTERNAL):
        linker.foreign.bind(variant, index, found, receiver, name, target)
    elif kind == Kind.INSTANCE and linker.class_attribute_variable(values.owners[found], "__get__"):
        getter = linker.class_attribute_variable(values.owners[found], "__get__")
        assert getter is not None
        holder = linker.variable_of(receiver)
        calling.invoke_all(linker, variant, index, getter, found, [holder], target)
    elif kind == Kind.PARTIAL and instance and found in linker.partial_methods:
        linker.put(target, values.bound(receiver, found))
    else:
        linker.put(target, found)


def _load_module(linker: Linker, receiver: int, data: Load) -> None:
    _, _, name, target = data
    module = linker.module_of_value[receiver]
    variable = linker.module_attribute(module, name)
    if variable is not None:
        linker.flow(variable, target)
        return
    linker.read_field(receiver, name, target)
    if name not in linker.stored:
        linker.unresolved_attribute(data)


def _load_other(linker: Linker, receiver: int, kind: int, data: Load) -> None:
    variant, index, name, target = data
    values = linker.values
    if name in linker.stored and kind != Kind.STRING:
        linker.read_field(receiver, name, target)
    if kind in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE, Kind.OPAQUE) and linker.foreign.attribute(
        variant, index, receiver, name, receiver, target
    ):
        return
    if kind == Kind.EXTERNAL:
        dotted = _longer(values.names[receiver], name)
        if dotted is not None:
            linker.flow(linker.external_variable(dotted), target)
    elif kind == Kind.FUNCTION:
        if receiver in linker.dispatchers and name == "register":
            function = values.external("functools.singledispatch.register")
            linker.put(target, values.bound(receiver, function))
        elif name in ("__name__", "__qualname__") and not linker.has_field(receiver, name):
            linker.put(target, values.string(values.names[receiver].rpartition(".")[2]))
    else:
        given = linker.given.get(name)
        if given is None:
            given = linker.given[name] = {}
        found = given.get(receiver)
        if found is None:
            found = given[receiver] = _given(linker, receiver, kind, name)
        if found != _NOTHING:
            linker.put(target, found)


def _given(linker: Linker, receiver: int, kind: int, name: str) -> int:
    """What an attribute of a value is that no class of the project and no framework defines."""
    values = linker.values
    if kind in (Kind.EXTERNAL_INSTANCE, Kind.OPAQUE):
        known = values.names[receiver]
        dotted = _longer(known, name)
        if dotted is None or _lacks(known, name):
            return _NOTHING
        return values.bound(receiver, values.external(dotted))
    if kind == Kind.BOUND:
        return _given_by_bound(linker, receiver, name)
    if kind in (Kind.STRING, Kind.TEMPLATE):
        if _lacks("builtins.str", name):
            return _NOTHING
        return values.bound(receiver, values.external(f"builtins.str.{name}"))
    if kind == Kind.CONTAINER and _lacks(values.names[receiver], name):
        return _NOTHING
    return values.bound(receiver, values.external(f"{values.names[receiver]}.{name}"))


def _given_by_bound(linker: Linker, receiver: int, name: str) -> int:
    """The same of a method: of an outside one it is a longer outside name."""
    values = linker.values
    owner, function = values.owners[receiver], values.functions[receiver]
    if name == "__self__":
        return owner
    if name == "__func__":
        return function
    dotted = _longer(values.names[function], name)
    if values.kinds[function] != Kind.EXTERNAL or dotted is None:
        return _NOTHING
    return values.bound(owner, values.external(dotted))


def _longer(dotted: str, name: str) -> str | None:
    """The dotted name of an attribute of something outside; None where it would get too long."""
    found = dotted if dotted.endswith(".?") else f"{dotted}.{name}"
    return found if found.count(".") < _LONGEST else None


def _lacks(dotted: str, name: str) -> bool:
    """Whether instances of a builtin class cannot have an attribute, in Python 3 or 2."""
    head, _, kind = dotted.rpartition(".")
    if head != "builtins" or name in _OF_PYTHON_2:
        return False
    known = _BUILTIN_ATTRIBUTES.get(kind)
    if known is None:
        made = getattr(builtins, kind, None)
        kinds = (made, *_STAND_INS.get(kind, ())) if isinstance(made, type) else ()
        known = frozenset(each for one in kinds for each in dir(one))
        _BUILTIN_ATTRIBUTES[kind] = known
    return bool(known) and name not in known


_STAND_INS: dict[str, tuple[type, ...]] = {
    "str": (pathlib.Path,),
    "list": (collections.deque,),
    "dict": (collections.OrderedDict, collections.defaultdict, collections.Counter),
}
"""Classes of which the analysis speaks as of a builtin one."""
_OF_PYTHON_2 = frozenset({"iteritems", "iterkeys", "itervalues", "has_key", "decode", "message"})
_BUILTIN_ATTRIBUTES: dict[str, frozenset[str]] = {}


def store(linker: Linker, receiver: int, data: tuple[Variant, int, str, int | None]) -> None:
    """Watcher of the base of an attribute that is set."""
    variant, index, name, source = data
    values = linker.values
    kind = values.kinds[receiver]
    if kind == Kind.MODULE:
        variable = linker.module_attribute(linker.module_of_value[receiver], name)
        target = variable if variable is not None else linker.field(receiver, name)
        if source is not None:
            linker.flow(source, target)
        return
    if kind == Kind.SUPER:
        return
    class_value = values.owners[receiver] if kind == Kind.INSTANCE else receiver
    if kind == Kind.CLASS and name not in linker.stored_on_classes:
        linker.late.stores_on_class(name)
    if kind in (Kind.INSTANCE, Kind.CLASS):
        bases = [b for b in linker.order(class_value) if b not in linker.class_of_value]
        class_ = linker.class_of_value[class_value]
        if not class_.settled:
            class_.dependents.append((linker.on_store, receiver, data))
        if kind == Kind.INSTANCE:
            _call_setters(linker, receiver, class_value, data)
        if kind == Kind.INSTANCE and name == "__class__" and source is not None:
            linker.flow(source, linker.slot("became", class_value))
    else:
        bases = [receiver]
    if linker.foreign.store(variant, index, receiver, name, bases) or source is None:
        return
    if kind != Kind.INSTANCE or not _takes_stores(linker, class_value, name):
        linker.store_field(receiver, name, source)


def _takes_stores(linker: Linker, class_value: int, name: str) -> bool:
    """Whether the class has a property under the name, which an assignment goes through."""
    variable = linker.class_attribute_variable(class_value, name)
    if variable is None:
        return False
    values = linker.values
    return any(
        values.kinds[each] == Kind.DESCRIPTOR and values.names[each].startswith("builtins.property")
        for each in linker.values_of(variable)
    )


def _call_setters(
    linker: Linker, receiver: int, class_value: int, data: tuple[Variant, int, str, int | None]
) -> None:
    variable = linker.class_attribute_variable(class_value, data[2])
    if variable is not None:
        linker.watch(variable, linker.on_setter, (receiver, data))
    if not linker.intercepting.isdisjoint(linker.order(class_value)):
        _intercept(linker, receiver, class_value, data)


def _intercept(
    linker: Linker, receiver: int, class_value: int, data: tuple[Variant, int, str, int | None]
) -> None:
    """`__setattr__` or `__delattr__`, where the class has it."""
    variant, index, name, source = data
    deletes = _deletes(variant, index)
    found = linker.class_attribute_variable(
        class_value, "__delattr__" if deletes else "__setattr__"
    )
    own = variant.function.name.rpartition(".")[2]
    if found is None or own in ("__setattr__", "__delattr__"):
        return  # what it does itself is `object.__setattr__(self, ...)`
    given = [linker.constant_variable(name)]
    if not deletes:
        given.append(source if source is not None else linker.slot("nothing stored"))
    calling.invoke_all(linker, variant, index, found, receiver, given, NOWHERE)


def _deletes(variant: Variant, index: int) -> bool:
    code = variant.function.facts.code[index]
    return code[0] == ir.SET_ATTRIBUTE and bool(code[4] & ir.DELETES)


def call_setter(linker: Linker, found: int, data: tuple[int, Any]) -> None:
    """Watcher of a class attribute that an assignment goes through: setters of properties."""
    receiver, (variant, index, _, source) = data
    values = linker.values
    if values.kinds[found] == Kind.INSTANCE:
        deletes = _deletes(variant, index)
        method = "__delete__" if deletes else "__set__"
        setter = linker.class_attribute_variable(values.owners[found], method)
        if setter is not None:
            given = [linker.variable_of(receiver)]
            if not deletes:
                given.append(source if source is not None else linker.new())
            calling.invoke_all(linker, variant, index, setter, found, given, NOWHERE)
    if values.kinds[found] == Kind.DESCRIPTOR and values.names[found] == "builtins.property.setter":
        arguments = calling.Arguments((source,), ())
        calling.call_value(
            linker, variant, index, values.owners[found], arguments, NOWHERE, receiver
        )

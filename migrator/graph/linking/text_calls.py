"""Parts of texts that are known: dotted names are often taken apart, to import what they mean."""

from __future__ import annotations

from migrator.graph.linking.builtin_place import Place, Semantics
from migrator.graph.linking.values import Kind

_LONGEST = 300


def _split(method: str) -> Semantics:
    """`"a.b".rpartition(".")` and the like, of a text that is known."""

    def semantics(place: Place) -> bool:
        linker, receiver = place.linker, place.receiver
        if linker.values.kinds[receiver] != Kind.STRING:
            return False
        text = linker.values.names[receiver]
        given = [_constant(place, position) for position in range(2)]
        while given and given[-1] is None:
            given.pop()
        if len(text) > _LONGEST or None in given or len(given) < len(place.arguments.positional):
            return False
        try:
            parts = getattr(text, method)(*given)
        except (TypeError, ValueError):
            return False
        kind = "builtins.tuple" if method.endswith("partition") else "builtins.list"
        made = linker.values.container(kind, "split", place.variant.id, place.instruction, receiver)
        for position, part in enumerate(parts):
            linker.containers.write(made, position, linker.constant_variable(part))
        linker.containers.of(made).length = len(parts)
        linker.put(place.target, made)
        return True

    return semantics


def _constant(place: Place, position: int) -> object:
    """The one constant that an argument is, or None."""
    variable = place.argument(position)
    held = list(place.linker.values_of(variable)) if variable is not None else []
    if len(held) != 1:
        return None
    values = place.linker.values
    if values.kinds[held[0]] == Kind.STRING:
        return values.names[held[0]]
    return values.parts[held[0]][0] if values.parts[held[0]] else None


TABLE: dict[str, Semantics] = {
    "builtins.str.split": _split("split"),
    "builtins.str.rsplit": _split("rsplit"),
    "builtins.str.partition": _split("partition"),
    "builtins.str.rpartition": _split("rpartition"),
}
"""By dotted name of function or method."""

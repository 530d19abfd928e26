"""How the plan puts things into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def enumerated(names: Iterable[str], most: int = 4) -> str:
    """`a, b and c`; beyond `most` names their number."""
    listed = list(names)
    if len(listed) > most:
        listed = [*listed[: most - 1], f"{len(listed) - most + 1} more"]
    if len(listed) < 2:
        return "".join(listed)
    return ", ".join(listed[:-1]) + " and " + listed[-1]


def counted(number: int, singular: str, plural: str = "") -> str:
    """`1 table`, `3 tables`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def short(dotted: str) -> str:
    """The last part of a dotted name, or of `list[...]` around one."""
    head, bracket, inner = dotted.partition("[")
    if bracket:
        return f"{head}[{short(inner.rstrip(']'))}]"
    return head.rpartition(".")[2]


def told_apart(names: Iterable[str]) -> list[str]:
    """The last parts of dotted names, and as many before it as tell each from the others."""
    split = [name.split(".") for name in names]
    found = []
    for parts in split:
        others = [other for other in split if other != parts]
        length = next(
            (n for n in range(1, len(parts)) if all(o[-n:] != parts[-n:] for o in others)),
            len(parts),
        )
        found.append(".".join(parts[-length:]))
    return found


def sentence(parts: Sequence[str]) -> str:
    """Parts joined by semicolons, empty ones left out."""
    return "; ".join(part for part in parts if part)

"""A YAML text as lines that belong to paths, so that comments and errors find their place.

A path is what leads to a value: keys of mappings, scalars of lists, and for a list of mappings
what identifies each (`IDENTITY`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.tokens import ScalarToken

Path = tuple[str, ...]

IDENTITY = (
    ("function", "owner"),
    ("kind", "subject", "message"),
    ("name", "kind"),
    ("kind", "engine"),
    ("step",),
)
"""The keys by which an item of a list of mappings is known, the first set that it has."""


def parse(text: str) -> tuple[Any, dict[Path, int]]:
    """The document, and the line (from 1 on) at which each path stands.

    Raises ruamel.yaml.error.YAMLError when the text is not YAML.
    """
    document = YAML(typ="rt").load(text)
    lines: dict[Path, int] = {}
    for path, line in _walk((), document):
        lines.setdefault(path, line + 1)
    return document, lines


def _walk(path: Path, value: Any) -> Iterator[tuple[Path, int]]:
    if isinstance(value, dict) and hasattr(value, "lc"):
        for key in value:
            below = (*path, str(key))
            yield below, value.lc.key(key)[0]
            yield from _walk(below, value[key])
    elif isinstance(value, list) and hasattr(value, "lc"):
        for index, item in enumerate(value):
            below = (*path, identity(item))
            yield below, value.lc.item(index)[0]
            yield from _walk(below, item)


def identity(item: Any) -> str:
    """What an item of a list is known by."""
    if not isinstance(item, dict):
        return str(item)
    for keys in IDENTITY:
        if keys[0] in item and keys[-1] in item:
            return " ".join(str(item.get(key, "")) for key in keys)
    return ""


def comments(text: str) -> tuple[dict[Path, list[str]], dict[Path, str], list[str]]:
    """The comments above each path, those at the end of its line, and those at the text's end."""
    _, lines = parse(text)
    anchors: dict[int, Path] = {}
    for path, line in sorted(lines.items(), key=lambda each: (each[1], len(each[0]))):
        anchors.setdefault(line, path)
    above: dict[Path, list[str]] = {}
    beside: dict[Path, str] = {}
    waiting: list[str] = []
    last: Path = ()
    for number, (code, comment) in enumerate(_split(text), start=1):
        if not code.strip():
            if comment:
                waiting.append(comment)
            continue
        last = anchors.get(number, last)
        if waiting:
            above.setdefault(last, []).extend(waiting)
            waiting = []
        if comment:
            beside[last] = comment
    return above, beside, waiting


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Each line as what stands before its comment, and the comment from `#` on."""
    scalars: list[tuple[int, int]] = []
    for token in YAML(typ="safe", pure=True).scan(text):
        if isinstance(token, ScalarToken):
            scalars.append((token.start_mark.index, token.end_mark.index))
    position, current = 0, 0
    for line in text.splitlines(keepends=True):
        start = 0
        while (hash_at := line.find("#", start)) >= 0:
            at = position + hash_at
            while current < len(scalars) and scalars[current][1] <= at:
                current += 1
            inside = current < len(scalars) and scalars[current][0] <= at
            if not inside and (hash_at == 0 or line[hash_at - 1].isspace()):
                break
            start = hash_at + 1
        bare = line.rstrip("\r\n")
        yield (bare, "") if hash_at < 0 else (bare[:hash_at].rstrip(), bare[hash_at:])
        position += len(line)


def commented(
    text: str, above: dict[Path, list[str]], beside: dict[Path, str], at_end: list[str]
) -> str:
    """The text with comments put to their paths; where a path is gone, above what held it."""
    _, lines = parse(text)
    rows = text.splitlines()
    before: dict[int, list[str]] = {}
    for path, block in above.items():
        before.setdefault(_line(lines, path), []).extend(block)
    taken: set[int] = set()
    for path, comment in beside.items():
        line = lines.get(path)
        if line is None or line in taken:
            before.setdefault(_line(lines, path), []).append(comment)
        else:
            taken.add(line)
            rows[line - 1] += "  " + comment
    out = []
    for number, row in enumerate(rows, start=1):
        indent = row[: len(row) - len(row.lstrip())]
        out += [indent + comment for comment in before.get(number, ())]
        out.append(row)
    return "\n".join([*out, *at_end]) + "\n"


def _line(lines: dict[Path, int], path: Path) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)

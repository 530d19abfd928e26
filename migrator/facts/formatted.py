"""Strings in source text: where they end, and what formatted ones are made of (PEP 701)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import NamedTuple

_START = re.compile(r"""(?P<prefix>[A-Za-z]{0,2})(?P<quote>\"\"\"|'''|"|')""")
_BETWEEN = re.compile(r"(?:[ \t\f]|\\\n)*")
_BETWEEN_LINES = re.compile(r"(?:\s|\\\n|#[^\n]*\n)*")
_BLANKS = re.compile(r"(?:[ \t\n]|#[^\n]*\n)*")
_INSIDE = re.compile(r"""[()\[\]{}!:=#'"\\\n]""")
_PREFIXES = frozenset({"", "r", "b", "u", "br", "rb", "f", "fr", "rf", "t", "tr", "rt"})
_ESCAPED_NAME = re.compile(r"\\N\{[^{}\n]*\}")
_DEEPEST = 60

Part = str | tuple[int, int, int, "tuple[Part, ...] | None"]
"""Text, or a field: start and end of its expression, conversion, parts of its format or None."""


class Unreadable(Exception):
    """The text is not what it looked like; nothing is known of it."""


class Formatted(NamedTuple):
    """Neighbouring string literals, which are one string."""

    start: int
    end: int
    parts: tuple[Part, ...]
    """Empty where an interpreter without PEP 701 reads them too."""
    templates: tuple[int, ...] = ()
    """Where the letters stand that make templates of them (PEP 750), if that is all."""


def prefix_start(source: str, quote: int) -> int:
    """Where the literal begins whose first quote stands there: at its prefix, if it has one."""
    start = quote
    while start and source[start - 1].isalpha() and source[start - 1] < "\x80":
        start -= 1
    prefix = source[start:quote].lower()
    before = source[start - 1 : start]
    return start if prefix in _PREFIXES and not (before.isdigit() or before == "_") else quote


def read_strings(source: str, start: int, *, across_lines: bool) -> Formatted:
    """The string literal that starts there, with those that follow it without an operator."""
    needed, end = _literal(source, start, 0, None)
    literals = [start]
    between = _BETWEEN_LINES if across_lines else _BETWEEN
    while True:
        gap = between.match(source, end)
        following = gap.end() if gap is not None else end
        match = _START.match(source, following)
        if match is None or match["prefix"].lower() not in _PREFIXES:
            break
        more, end = _literal(source, following, 0, None)
        needed = needed or more
        literals.append(following)
    parts: list[Part] = []
    if needed:
        for each in literals:
            _literal(source, each, 0, parts)
    found = tuple(_merged(parts))
    return Formatted(start, end, found, () if found else tuple(_templates(source, literals)))


def _templates(source: str, literals: list[int]) -> Iterator[int]:
    """Where prefixes of literals have a `t`."""
    for each in literals:
        match = _START.match(source, each)
        at = match["prefix"].lower().find("t") if match is not None else -1
        if at >= 0:
            yield each + at


def _merged(parts: list[Part]) -> Iterator[Part]:
    """Neighbouring texts as one."""
    text = ""
    for each in parts:
        if isinstance(each, str):
            text += each
            continue
        if text:
            yield text
            text = ""
        yield each
    if text:
        yield text


def string_end(source: str, start: int) -> int:
    """Where the string literal that starts there ends."""
    return _literal(source, start, 0, None)[1]


def _literal(source: str, start: int, depth: int, parts: list[Part] | None) -> tuple[bool, int]:
    """Whether it needs lowering, and its end; what it is made of goes into `parts`."""
    match = _START.match(source, start)
    if match is None or depth > _DEEPEST:
        raise Unreadable
    prefix, quote = match["prefix"].lower(), match["quote"]
    if prefix not in _PREFIXES:
        raise Unreadable
    if "f" not in prefix and "t" not in prefix:
        end = _plain_end(source, match.end(), quote)
        if parts is not None:
            parts.append(_text(source[start:end]))
        return False, end
    needed, end = _middle(source, match.end(), quote, "r" in prefix, depth, parts, in_spec=False)
    return needed or (depth > 0 and "t" in prefix), end


def _plain_end(source: str, position: int, quote: str) -> int:
    pattern = _ENDS[quote]
    while True:
        match = pattern.search(source, position)
        if match is None or match.group() == "\n":
            raise Unreadable
        position = match.end()
        if match.group() == quote:
            return position


_ENDS = {
    quote: re.compile(rf"\\.|{quote}" + ("|\n" if len(quote) == 1 else ""), re.DOTALL)
    for quote in ("'", '"', "'''", '"""')
}


def _middle(
    source: str,
    position: int,
    quote: str,
    raw: bool,
    depth: int,
    parts: list[Part] | None,
    *,
    in_spec: bool,
) -> tuple[bool, int]:
    """Text and fields up to the quote (or up to the brace that ends a format)."""
    needed, text_start = False, position
    pieces: list[str] = []

    def flush(end: int) -> None:
        text = "".join(pieces) + source[text_start:end]
        pieces.clear()
        if text and parts is not None:
            parts.append(_unescaped(text, raw))

    while True:
        if source.startswith(quote, position):
            if in_spec:
                raise Unreadable
            flush(position)
            return needed, position + len(quote)
        mark = source[position : position + 1]
        if not mark or (mark == "\n" and len(quote) == 1):
            raise Unreadable
        if mark == "\\":
            named = _ESCAPED_NAME.match(source, position) if not raw else None
            if named is not None:
                position = named.end()
            else:
                position += 1 if source[position + 1 : position + 2] in "{}" else 2
        elif mark in "{}" and source[position + 1 : position + 2] == mark and not in_spec:
            pieces.append(source[text_start : position + 1])
            position += 2
            text_start = position
        elif mark == "{":
            flush(position)
            more, position = _field(source, position + 1, quote, raw, depth, parts, in_spec)
            needed, text_start = needed or more, position
        elif mark == "}":
            if not in_spec:
                raise Unreadable
            flush(position)
            return needed, position
        else:
            position += 1


def _field(
    source: str,
    start: int,
    quote: str,
    raw: bool,
    depth: int,
    parts: list[Part] | None,
    in_spec: bool,
) -> tuple[bool, int]:
    """One field, after its opening brace; older grammars know no format inside of a format's."""
    needed, position, brackets = False, start, 0
    while True:
        match = _INSIDE.search(source, position)
        if match is None:
            raise Unreadable
        mark, position = match.group(), match.end()
        if mark in "'\"":
            literal = prefix_start(source, match.start())
            inner_needed, position = _literal(source, literal, depth + 1, None)
            written = source[literal:position]
            needed = needed or inner_needed or quote in written or "\\" in written
            needed = needed or "#" in written or (len(quote) == 1 and "\n" in written)
        elif mark == "\n":
            needed = needed or len(quote) == 1
        elif mark == "\\":
            needed = True
        elif mark == "#":
            needed = True
            end_of_line = source.find("\n", position)
            if end_of_line < 0:
                raise Unreadable
            position = end_of_line
        elif mark in "([{":
            brackets += 1
        elif mark in ")]}" and brackets:
            brackets -= 1
        elif brackets or (mark == "!" and source[position : position + 1] == "="):
            position += mark == "!"
        elif mark == "=":
            rest = _behind(source, position)
            follows = source[rest : rest + 1] if _is_debug(source, position) else ""
            if follows in ("}", "!", ":") and follows:
                if parts is not None:
                    parts.append(source[start:rest])
                end = position - 1
                break
        elif mark in "}!:":
            end, position = position - 1, position - 1
            break
        else:
            raise Unreadable
    more, position = _rest_of_field(source, start, end, position, quote, raw, depth, parts)
    has_format = in_spec and source[end : end + 1] == ":"
    return needed or more or has_format, position


def _behind(source: str, position: int) -> int:
    """Where blanks and comments end that stand behind an expression and its `=`."""
    match = _BLANKS.match(source, position)
    return match.end() if match is not None else position


def _is_debug(source: str, position: int) -> bool:
    """Whether the `=` before `position` stands alone."""
    return source[position - 2] not in "=!<>:" and source[position : position + 1] != "="


def _rest_of_field(
    source: str,
    start: int,
    end: int,
    position: int,
    quote: str,
    raw: bool,
    depth: int,
    parts: list[Part] | None,
) -> tuple[bool, int]:
    """Conversion and format of a field, and its closing brace."""
    behind = _behind(source, position)
    needed = "#" in source[position:behind] or "\n" in source[position:behind]
    position = behind
    conversion, spec = -1, None
    if source[position : position + 1] == "!":
        conversion, position = ord(source[position + 1 : position + 2] or "s"), position + 2
        while source[position : position + 1] in (" ", "\t", "\n"):
            position, needed = position + 1, True
    if source[position : position + 1] == ":":
        inner: list[Part] | None = [] if parts is not None else None
        more, position = _middle(source, position + 1, quote, raw, depth, inner, in_spec=True)
        needed, spec = needed or more, tuple(_merged(inner or []))
    if source[position : position + 1] != "}" or not source[start:end].strip():
        raise Unreadable
    if parts is not None:
        parts.append((start, end, conversion, spec))
    return needed, position + 1


def _text(literal: str) -> str:
    """What a plain literal stands for."""
    try:
        value = ast.literal_eval(literal.encode("latin-1").decode("utf-8"))
    except (SyntaxError, ValueError):
        return literal
    return value if isinstance(value, str) else literal


def _unescaped(text: str, raw: bool) -> str:
    decoded = text.encode("latin-1").decode("utf-8", "replace")
    if raw or "\\" not in decoded:
        return decoded
    return _text('"""' + text.replace('"', '\\"') + '"""')

"""URL rules of Flask, as Werkzeug's router matches them.

Werkzeug (2.2 on, `werkzeug.routing.matcher.StateMachineMatcher`) walks a tree of path segments:
at each segment the static child first, then the dynamic children by weight, and backtracks. The
rule that it finds is the matching rule with the least sequence of segment keys, which is what
`Pattern.key` holds. Weights and expressions of the converters are those of
`werkzeug.routing.rules` and `werkzeug.routing.converters`.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from migrator.generation.routing.pattern import Pattern
from migrator.model.program import Route

_PART = re.compile(
    r"(?P<slash>/)|(?P<static>[^</]+)|<(?:(?P<converter>[a-zA-Z_]\w*)(?:\((?P<arguments>.*?)\))?:)?"
    r"(?P<variable>[a-zA-Z_]\w*)>"
)
_ARGUMENT = re.compile(
    r"""\s*((?P<name>\w+)\s*=\s*)?(?P<value>True|False|\d+\.\d+|\d+\.|-?\d+|[\w\d_.]+|[urUR]?"""
    r"""(?P<text>"[^"]*?"|'[^']*'))\s*,""",
    re.VERBOSE,
)
_STATIC: tuple[Any, ...] = (0,)
_AFTER_CHILDREN: tuple[Any, ...] = (2,)
_UUID = "[A-Fa-f0-9]{8}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{4}-[A-Fa-f0-9]{12}"
# One character of UTF-8 other than a slash: NGINX matches bytes, Werkzeug counts characters.
_CHARACTER = r"(?:[\x01-\x2E\x30-\x7F]|[\xC0-\xF7][\x80-\xBF]*)"


class _Converter(NamedTuple):
    regex: str
    weight: int
    isolating: bool = True
    note: str = ""


class _Segment(NamedTuple):
    key: tuple[Any, ...]
    regex: str
    final: bool = False


def patterns(route: Route) -> list[Pattern]:
    """A rule's own pattern, and the one under which the framework corrects a trailing slash.

    Raises ValueError for a malformed rule.
    """
    # Werkzeug and NGINX both take slashes that follow each other for one.
    segments, notes = _segments(re.sub("/{2,}?", "/", route.rule))
    note = "; ".join(notes)
    keys = tuple(segment.key for segment in segments)
    regex = "/".join(segment.regex for segment in segments)
    own = Pattern((keys, 0), regex, note)
    if segments[-1].final and regex.endswith("/"):
        return [own, Pattern((keys, 1), regex[:-1], note, True)]
    if regex.endswith("/") and len(segments) > 2:
        return [own, Pattern((keys[:-1], 1), regex[:-1], note, True)]
    if not route.strict_slashes and not regex.endswith("/"):
        return [own, Pattern(((*keys, _AFTER_CHILDREN), 1), regex + "/", note)]
    return [own]


def _segments(rule: str) -> tuple[list[_Segment], list[str]]:
    segments: list[_Segment] = []
    notes: list[str] = []
    regex = ""
    static: list[tuple[int, int]] = []
    arguments: list[int] = []
    final = False
    position = 0

    def close() -> None:
        key = (1, -len(static), tuple(static), -len(arguments), tuple(arguments))
        segments.append(_Segment(key if arguments else _STATIC, regex, final))

    while position < len(rule):
        part = _PART.match(rule, position)
        if part is None:
            raise ValueError(f"malformed URL rule {rule!r}")
        position = part.end()
        if part["static"] is not None:
            static.append((len(static), -len(part["static"])))
            regex += quoted(part["static"])
        elif part["variable"] is not None:
            converter = _converter(part["converter"] or "string", part["arguments"] or "")
            regex += converter.regex
            arguments.append(converter.weight)
            final = final or not converter.isolating
            if converter.note:
                notes.append(converter.note)
        elif final:
            # What follows a converter that takes slashes is matched together with it.
            regex += "/"
        else:
            close()
            regex, static, arguments = "", [], []
    close()
    return segments, notes


def _converter(name: str, text: str) -> _Converter:
    items, options = _arguments(text)
    if name in ("string", "default"):
        return _Converter(_string(items, options), 100)
    if name in ("int", "float"):
        return _number(name, items, options)
    if name == "path":
        return _Converter("[^/].*?", 200, isolating=False)
    if name == "uuid":
        return _Converter(_UUID, 100)
    if name == "any":
        return _Converter("(?:" + "|".join(quoted(item) for item in items) + ")", 100)
    return _Converter("[^/]+", 100, note=f"the converter {name!r} is taken to match any segment")


def _string(items: list[str], options: dict[str, str]) -> str:
    names = ("minlength", "maxlength", "length")
    options = dict(zip(names, items, strict=False)) | options
    if not options:
        return "[^/]+"
    if "length" in options and options["length"] != "None":
        return f"{_CHARACTER}{{{options['length']}}}"
    longest = options.get("maxlength", "")
    bounds = f"{options.get('minlength', '1')},{'' if longest == 'None' else longest}"
    return f"{_CHARACTER}{{{bounds}}}"


def _number(name: str, items: list[str], options: dict[str, str]) -> _Converter:
    names = ("fixed_digits", "min", "max", "signed") if name == "int" else ("min", "max", "signed")
    options = dict(zip(names, items, strict=False)) | options
    digits = options.pop("fixed_digits", "0")
    signed = options.pop("signed", "False") == "True"
    regex = r"\d+\.\d+" if name == "float" else r"\d+"
    if digits not in ("0", "None"):
        regex = rf"\d{{{digits}}}"
    bounds = ", ".join(f"{key}={value}" for key, value in sorted(options.items()))
    note = f"the bounds {bounds} are left to the service" if bounds else ""
    return _Converter(("-?" if signed else "") + regex, 50, note=note)


def _arguments(text: str) -> tuple[list[str], dict[str, str]]:
    items: list[str] = []
    options: dict[str, str] = {}
    for match in _ARGUMENT.finditer(text + "," if text else ""):
        value = match["text"][1:-1] if match["text"] else match["value"]
        if match["name"]:
            options[match["name"]] = value
        else:
            items.append(value)
    return items, options


def quoted(text: str) -> str:
    """`text` as an expression that holds no character with a meaning to PCRE or to NGINX."""
    return "".join(
        chr(byte)
        if (chr(byte).isalnum() and byte < 128) or chr(byte) in "-_~"
        else f"\\x{byte:02X}"
        for byte in text.encode()
    )

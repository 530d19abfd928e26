"""The parts of a request in which a value can stand: path, query, cookies, headers, body."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus, unquote, unquote_plus

_PAIR = re.compile(r"([^=&;?#]*)=([^&;#]*)")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_JSON = re.compile(
    r'"(?P<key>(?:[^"\\]|\\.)*)"\s*:\s*(?=[^\s{\[])|(?P<text>"(?:[^"\\]|\\.)*")'
    rf"|(?P<number>{_NUMBER.pattern})"
)
_BOUNDARY = re.compile(r'boundary="?([^";]+)')
_COLON = re.compile(r"\s*:")
_DISPOSITION = re.compile(r'content-disposition:[^\r\n]*?\bname="([^"]*)"([^\r\n]*)', re.IGNORECASE)


class Part(NamedTuple):
    """A value in a text of the request."""

    kind: str
    """`path`, `query`, `cookie`, `header`, `authorization`, `form` or `json`."""
    name: str
    value: str
    """Decoded."""
    start: int
    end: int
    """Where it stands in the text, as it is written there."""
    encoding: str
    """How it is written there."""


def encoded(value: str, encoding: str) -> str:
    """A value as it is written in `encoding` (`Value.encoding`)."""
    if encoding == "url":
        return quote(value, safe="~:@!$'()*,;+")
    if encoding == "form":
        return quote_plus(value)
    if encoding == "json":
        return json.dumps(value)[1:-1]
    if encoding == "number":
        return value if _NUMBER.fullmatch(value) else str(zlib.crc32(value.encode()))
    if encoding == "base64":
        return base64.b64encode(value.encode()).decode()
    return value


def target_parts(target: str) -> Iterator[Part]:
    """The segments of the path and the values of the query."""
    path, _, _ = target.partition("?")
    for found in re.finditer(r"[^/]+", path):
        yield Part("path", "", unquote(found[0]), found.start(), found.end(), "url")
    for found in _PAIR.finditer(target, len(path)):
        name, value = unquote_plus(found[1]), unquote_plus(found[2])
        yield Part("query", name, value, found.start(2), found.end(2), "form")


def header_parts(name: str, text: str) -> Iterator[Part]:
    """Cookies, the credentials of Authorization, the parts of an address; else the whole."""
    lower = name.lower()
    if lower == "cookie":
        for found in re.finditer(r"([^=;\s]+)=([^;]*)", text):
            yield Part("cookie", found[1], found[2], found.start(2), found.end(2), "")
    elif lower in ("authorization", "proxy-authorization"):
        scheme, _, given = text.rpartition(" ")
        start = len(text) - len(given)
        encoding = "base64" if scheme.lower() == "basic" else ""
        yield Part("authorization", lower, given, start, len(text), encoding)
    elif lower == "referer":
        yield from target_parts(text)
    else:
        yield Part("header", lower, text, 0, len(text), "")


def body_parts(content_type: str, body: str) -> Iterator[Part]:
    """The fields of a form, also a multipart one without its files, and the leaves of JSON."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        for pair in _PAIR.finditer(body):
            name, value = unquote_plus(pair[1]), unquote_plus(pair[2])
            yield Part("form", name, value, pair.start(2), pair.end(2), "form")
    elif kind == "application/json" or kind.endswith("+json"):
        yield from _json_parts(body)
    elif kind == "multipart/form-data" and (found := _BOUNDARY.search(content_type)):
        yield from _multipart_parts(found[1], body)


def basic_credentials(given: str) -> tuple[str, str] | None:
    """User and password of Basic authentication (RFC 7617); None when they are not that."""
    try:
        user, colon, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def _json_parts(body: str) -> Iterator[Part]:
    key = ""
    for found in _JSON.finditer(body):
        if found["key"] is not None:
            key = found["key"]
        elif found["number"] is not None:
            yield Part("json", key, found["number"], found.start(), found.end(), "number")
        elif _COLON.match(body, found.end()):
            key = found["text"][1:-1]
        else:
            try:
                value = json.loads(found["text"], strict=False)
            except ValueError:
                continue
            yield Part("json", key, value, found.start() + 1, found.end() - 1, "json")


def _multipart_parts(boundary: str, body: str) -> Iterator[Part]:
    place = 0
    for piece in body.split(f"--{boundary}"):
        head, gap, content = piece.partition("\r\n\r\n")
        named = _DISPOSITION.search(head)
        if gap and named and "filename" not in named[2].lower():
            value = content.removesuffix("\r\n")
            start = place + len(head) + len(gap)
            yield Part("form", named[1], value, start, start + len(value), "")
        place += len(piece) + len(boundary) + 2

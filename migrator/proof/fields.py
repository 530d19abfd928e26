"""An answer as named fields, so that two answers can be compared field by field.

Names are paths: `status`, `header.location`, `cookie.session.value`, `body.items[3].title` (JSON),
`body./html[0]/body[0]/form[2]/input[0]@value` (HTML), `body.line[7]` (other text), `body` (bytes).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from html.parser import HTMLParser
from http.cookies import CookieError, SimpleCookie

from migrator.proof.exchange import Exchange

Fields = dict[str, str]

IGNORED_HEADERS = frozenset(
    ["date", "server", "content-length", "x-request-id", "via", "age", "x-served-by"]
)
"""Headers of the server at hand, not of the application; the length is that of the body."""

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)


def fields_of(exchange: Exchange, base_url: str = "") -> Fields:
    """Every field of an answer by name; `base_url` reads `{base}`, wherever it stands."""
    found: Fields = {"status": str(exchange.status)}
    for name, value in exchange.headers:
        if name.lower() == "set-cookie":
            found.update(_cookie(value))
        elif name.lower() not in IGNORED_HEADERS:
            key = f"header.{name.lower()}"
            found[key] = f"{found[key]}, {value}" if key in found else value
    found.update(_body(exchange))
    if base_url:
        found = {name: value.replace(base_url, "{base}") for name, value in found.items()}
    return found


_MADE_UP = re.compile(
    r"(?<=\.)(?:(?=[^.\[]*\d)(?=[^.\[]*[A-Z])(?=[^.\[]*[a-z])[\w~+=-]{20,}|[0-9a-f-]{32,})(?=[.\[]|$)"
)
"""A key that was drawn by chance, as tokens and UUIDs are."""


def without_positions(name: str) -> str:
    """The name of a field for all members of a list or map: `body.items[*].title`.

    A map's members are alike where their keys are made up anew in each run.
    """
    return _MADE_UP.sub("*", re.sub(r"\[\d+\]", "[*]", name))


def is_html(name: str) -> bool:
    """Whether a field is a part of an HTML document."""
    return name.startswith("body./")


def plain_value(value: str) -> str:
    """The text of a field: that of JSON without its quotes."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            pass
    return value


def _cookie(header: str) -> Fields:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return {"header.set-cookie": header}
    found: Fields = {}
    for name, morsel in jar.items():
        found.update(_signed(f"cookie.{name}", morsel.value))
        for attribute, value in morsel.items():
            if value:
                found[f"cookie.{name}.{attribute}"] = str(value)
    return found


def _signed(name: str, value: str) -> Fields:
    """The content of a cookie that is JSON, signed in the form of itsdangerous; else its value.

    The form is `PAYLOAD.TIMESTAMP.SIGNATURE` in URL-safe base64; a dot in front: compressed. Time
    and signature vary with each answer, so that only the content can be compared.
    """
    payload, _, _ = value.lstrip(".").partition(".")
    try:
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        content = json.loads(zlib.decompress(raw) if value.startswith(".") else raw)
    except (ValueError, zlib.error):
        return {f"{name}.value": value}
    return dict(_json(f"{name}.content", content))


def _body(exchange: Exchange) -> Fields:
    if not exchange.body:
        return {}
    kind = exchange.content_type
    try:
        text = exchange.body.decode()
    except UnicodeDecodeError:
        return _bytes(exchange.body)
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return dict(_json("body", json.loads(text)))
        except ValueError:
            return _lines(text)
    if kind in ("text/html", "application/xhtml+xml"):
        reader = _HtmlFields()
        reader.feed(text)
        reader.close()
        return reader.found
    if kind.startswith("text/") or kind in ("application/xml", "application/javascript"):
        return _lines(text)
    return _bytes(exchange.body)


def _bytes(body: bytes) -> Fields:
    return {"body": f"{len(body)} bytes, sha256 {hashlib.sha256(body).hexdigest()}"}


def _lines(text: str) -> Fields:
    return {f"body.line[{number}]": line for number, line in enumerate(text.splitlines())}


def _json(name: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, dict) and value:
        return [pair for key, item in value.items() for pair in _json(f"{name}.{key}", item)]
    if isinstance(value, list) and value:
        return [pair for i, item in enumerate(value) for pair in _json(f"{name}[{i}]", item)]
    return [(name, json.dumps(value, ensure_ascii=False))]


class _HtmlFields(HTMLParser):
    """Collects attributes and texts by the path of their element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: Fields = {}
        self._path: list[str] = ["body."]
        self._seen: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        path = self._numbered("/".join([*self._path, tag]))
        given = dict(attrs)
        label = given.get("name") or given.get("id") or ""
        for name, value in attrs:
            self.found[f"{path}{f'({label})' if label else ''}@{name}"] = value or ""
        if not attrs:
            self.found[path] = ""
        if tag not in VOID:
            self._path.append(path.rpartition("/")[2])

    def handle_endtag(self, tag: str) -> None:
        for depth in range(len(self._path) - 1, 0, -1):
            if self._path[depth].partition("[")[0] == tag:
                del self._path[depth:]
                return

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.found[self._numbered("/".join([*self._path, "text"]))] = text

    def _numbered(self, path: str) -> str:
        number = self._seen[path] = self._seen.get(path, -1) + 1
        return f"{path}[{number}]"

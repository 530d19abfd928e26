"""From what was seen to what can be replayed: values that vary are bound, secrets are taken out.

A value of a request that an earlier answer gave (a session cookie, a token, the id of what was just
made) is bound to that answer's field. What the client made up itself stays as it is; a password or
token among it becomes a numbered secret. Values are compared with values, no name of a framework's
is known here but the words that people use for secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote

from migrator.proof.exchange import Exchange
from migrator.proof.fields import fields_of, is_html, plain_value
from migrator.proof.parts import (
    Part,
    basic_credentials,
    body_parts,
    header_parts,
    target_parts,
)
from migrator.proof.recorded import Step, Value

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase|code)?\d*$|pwd|secret|token|csrf|xsrf|api[_-]?key|credential|card[_-]?number"
    r"|(^|[_-])(pin|cvc|cvv|otp)$",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"(^|[._-])(id|pk|key|uuid|guid|slug|number)$|Id$", re.IGNORECASE)
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Z])(?=.*[a-z])[\w.~+/=-]{20,}|[0-9a-f]{32,}")
_OF_THE_CLIENT = frozenset(
    ["host", "content-length", "accept-encoding", "if-none-match", "if-modified-since", "if-range"]
)
"""Headers that the replay makes itself, or that depend on where files lie (tags and times)."""
_STANDARD = re.compile(
    r"accept.*|user-agent|content-.*|cache-control|pragma|dnt|sec-.*|referer|origin|range|priority|upgrade-.*|x-requested-with"
)
_LINK = re.compile(r"@(href|action|src|formaction)$")
_CONTEXT = 24


def recorded_steps(
    exchanges: Iterable[Exchange], base_url: str
) -> tuple[list[Step], dict[int, str]]:
    """Exchanges as steps of a replay, and the secrets that were taken out, by number."""
    binding = _Binding(base_url)
    steps = [binding.step(each) for each in exchanges]
    return steps, {number: text for text, number in binding.secrets.items()}


def cookies_set(exchange: Exchange) -> dict[str, str]:
    """The cookies that an answer sets, as they are written."""
    found: dict[str, str] = {}
    for name, value in exchange.headers:
        if name.lower() == "set-cookie":
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(value)
            except CookieError:
                continue
            found.update({each: morsel.coded_value for each, morsel in jar.items()})
    return found


class Answer:
    """What an answer can give: its fields by name, cookies as they were set among them."""

    def __init__(self, exchange: Exchange, base_url: str) -> None:
        self.cookies = cookies_set(exchange)
        self._exchange = exchange
        self._base_url = base_url
        self._fields: dict[str, str] | None = None
        self._raw = exchange.body.decode(errors="replace") + "\n".join(
            value for _, value in exchange.headers
        )

    @property
    def fields(self) -> dict[str, str]:
        """Every field as plain text."""
        if self._fields is None:
            found = fields_of(self._exchange, self._base_url)
            self._fields = {
                **{name: plain_value(value) for name, value in found.items()},
                **{f"cookie.{name}": value for name, value in self.cookies.items()},
            }
        return self._fields

    def may_hold(self, value: str) -> bool:
        """Whether the value may stand in it: false is sure, and cheap."""
        words = re.findall(r"[A-Za-z0-9_]+", value)
        return max(words, key=len, default="") in self._raw

    def take(self, value: Value) -> str | None:
        """What `value` names in this answer; None: there is no such field."""
        text = self.fields.get(value.field)
        if text is None:
            return None
        start = text.find(value.before)
        if start < 0:
            return None
        start += len(value.before)
        end = text.find(value.after, start) if value.after else len(text)
        return None if end < 0 else text[start:end]


class _Binding:
    """Walks through the exchanges in order, and knows all that was answered and sent so far."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._answers: list[tuple[float, Answer]] = []
        self._sent: set[str] = set()
        """What clients made up themselves."""
        self.secrets: dict[str, int] = {}
        self._first = 0.0
        self._now = 0.0

    def step(self, exchange: Exchange) -> Step:
        """The exchange as a step; its answer is then known to those that follow."""
        if not self._answers:
            self._first = exchange.started
        self._now = exchange.started
        values: dict[str, Value] = {}
        content_type = next(
            (v for k, v in exchange.request_headers if k.lower() == "content-type"), ""
        )
        body, charset = _text(exchange.request_body)
        step = Step(
            method=exchange.method,
            target=self._template(exchange.target, target_parts(exchange.target), values),
            headers=[
                (name, self._template(text, header_parts(name, text), values))
                for name, text in exchange.request_headers
                if name.lower() not in _OF_THE_CLIENT
            ],
            body=self._template(body, body_parts(content_type, body), values),
            charset=charset,
            values=values,
            status=exchange.status,
            at=round(exchange.started - self._first, 3),
        )
        done = exchange.started + exchange.elapsed
        self._answers.append((done, Answer(exchange, self._base_url)))
        return step

    def _template(self, text: str, parts: Iterable[Part], values: dict[str, Value]) -> str:
        """The text with its bound and secret parts taken out into `values`."""
        pieces: list[str] = []
        place = 0
        for part in parts:
            value = self._value(part, values, text)
            if value is None:
                self._sent.add(part.value)
            elif part.start >= place:
                pieces += [self._with_base(text[place : part.start], values)]
                pieces += [_named(value, values, text)]
                place = part.end
        return "".join(pieces) + self._with_base(text[place:], values)

    def _with_base(self, text: str, values: dict[str, Value]) -> str:
        """The application's own address taken out, wherever it stands and however it is quoted."""
        forms = {"": self._base_url, "url": quote(self._base_url, safe="")}
        for encoding, written in forms.items():
            if written in text:
                value = Value(base_url=True, encoding="form" if encoding else "")
                text = text.replace(written, _named(value, values, text))
        return text

    def _value(self, part: Part, values: dict[str, Value], text: str = "") -> Value | None:
        """Where a part's value comes from; None: from the client itself, and it is no secret."""
        if not part.value:
            return None
        if part.kind == "header" and (_STANDARD.fullmatch(part.name) or part.name == "cookie"):
            return None
        if part.kind == "authorization" and (basic := basic_credentials(part.value)):
            return self._basic(*basic, values)
        secret = (
            part.kind in ("cookie", "authorization")
            or _SECRET_NAME.search(part.name) is not None
            or _TOKEN.fullmatch(part.value) is not None
        )
        found = self._source(part, secret, text)
        if found is not None:
            found.encoding = part.encoding
            found.otherwise = None if secret else part.value
            return found
        if secret:
            return Value(secret=self._number(part.value), encoding=part.encoding)
        return None

    def _basic(self, user: str, password: str, values: dict[str, Value]) -> Value:
        """Credentials of Basic authentication: a template of name and secret, encoded."""
        parts = (
            Part("header", "", user, 0, len(user), ""),
            Part("authorization", "", password, 0, len(password), ""),
        )
        texts = [
            _named(value, values, part.value)
            if (value := self._value(part, values))
            else part.value
            for part in parts
        ]
        return Value(text=":".join(texts), encoding="base64")

    def _number(self, secret: str) -> int:
        return self.secrets.setdefault(secret, len(self.secrets) + 1)

    def _source(self, part: Part, secret: bool, text: str) -> Value | None:
        """The latest earlier answer that gave this value, which stands in `text`."""
        if not secret and part.value in self._sent:
            return None
        for number in range(len(self._answers) - 1, -1, -1):
            done, answer = self._answers[number]
            if done > self._now:
                continue
            if part.kind == "cookie":
                if answer.cookies.get(part.name) == part.value:
                    return Value(answer=number, field=f"cookie.{part.name}")
            elif answer.may_hold(part.value):
                found = _field(answer, part, secret, text)
                if found is not None:
                    found.answer = number
                    return found
        return None


def _field(answer: Answer, part: Part, secret: bool, text: str) -> Value | None:
    """The field of an answer that gave a part's value: the whole of it, or a part of a link."""
    for name, given in answer.fields.items():
        if given == part.value and _gives(name, part, secret):
            return Value(field=name)
    if not secret and (part.kind not in ("path", "query") or not _varies(part.value)):
        return None
    # A link is the same link where the same stands before the value: `/posts/`, `page=`.
    before = "" if secret else re.split(r"(?<=/)(?=[^/]*/$)|[?&]", text[: part.start])[-1]
    for name, given in answer.fields.items():
        if part.value in given and (secret or _leads_to(name, part.value)):
            found = _inside(name, given, part.value, before)
            if found is not None and answer.take(found) == part.value:
                return found
    return None


def _gives(name: str, part: Part, secret: bool) -> bool:
    """Whether a field that equals the value is where a client takes it from.

    A number in a list is none, as in `_leads_to`: the order of the list may vary, keys do not.
    """
    if secret:
        return True
    if is_html(name):
        return f"({part.name})@" in name and bool(part.name)
    if not name.startswith("body"):
        return False
    key = re.sub(r"\[\d+\]$", "", name).rpartition(".")[2]
    if part.value.lstrip("-").isdigit():
        by_name = _IDENTIFIER.search(part.name) is not None or part.name == key
        one = "[" not in name
        return one and (part.kind == "path" or by_name) and _IDENTIFIER.search(key) is not None
    return len(part.value) >= 6 and _varies(part.value)


def _varies(value: str) -> bool:
    return any(letter.isdigit() for letter in value) or "-" in value or len(value) >= 16


def _leads_to(name: str, value: str) -> bool:
    """Whether a field is a link that a client follows for this value.

    Numbers in the links of a page are keys that come out the same from the same start state, while
    the order of the links may not: only where a redirect leads is the number of what was just made.
    """
    if name == "header.location":
        return True
    return not value.isdigit() and _LINK.search(name) is not None


def _inside(name: str, text: str, value: str, preceded_by: str) -> Value | None:
    """The value between what stands around it, where it is a word of its own."""
    for found in re.finditer(re.escape(value), text):
        before, after = text[: found.start()], text[found.end() :]
        alone = not (before and before[-1].isalnum()) and not (after and after[0].isalnum())
        if alone and before.endswith(preceded_by):
            return Value(field=name, before=before[-_CONTEXT:], after=after[:1])
    return None


def _named(value: Value, values: dict[str, Value], text: str) -> str:
    """`{{NAME}}` under which the value now stands in `values`."""
    for name, known in values.items():
        if known == value:
            return f"{{{{{name}}}}}"
    number = len(values) + 1
    while f"{{{{v{number}}}}}" in text:
        number += 1
    values[f"v{number}"] = value
    return f"{{{{v{number}}}}}"


def _text(body: bytes) -> tuple[str, str]:
    try:
        return body.decode(), "utf-8"
    except UnicodeDecodeError:
        return body.decode("latin-1"), "latin-1"

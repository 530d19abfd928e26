"""Two recordings of the same traffic, aligned and compared; noise is set aside by name.

The idea is Diffy's (Twitter, 2015): what differs between two runs of the old system alone is
noise; what else differs between old and new is a regression.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from itertools import zip_longest

import msgspec

from migrator.proof.exchange import NO_ANSWER, Exchange, stands_for
from migrator.proof.fields import Fields, fields_of, is_html, without_positions

ABSENT = "(absent)"
ORDER = "(order)"
"""Stands for a field in `Noise`: the same values come in another order by themselves."""


class Difference(msgspec.Struct, kw_only=True, frozen=True):
    """One field that was answered differently."""

    request: str
    """`METHOD /path?query`"""
    field: str
    monolith: str
    services: str
    path: str = ""
    """The request's path, by which the report finds service and crossing."""
    ordinal: int = 0


class Noise(msgspec.Struct, kw_only=True, frozen=True):
    """A field that varies by itself: in answers to requests of this shape, under this name."""

    request: str
    field: str


class Compared(msgspec.Struct, kw_only=True):
    """What came of comparing two recordings."""

    requests: int
    equal: int
    differences: list[Difference]
    noise: list[Noise]
    polls: int = 0
    """Requests left out because a client repeated the same question until the answer came."""


def request_shape(exchange: Exchange) -> str:
    """Method and path with what varies from request to request taken out.

    Numbers, and words that hold a digit and are long (tokens, UUIDs), become `*`.
    """
    parts = [
        "*" if re.fullmatch(r"\d+|(?=.*\d)[\w.~-]{16,}", part) else part
        for part in exchange.path.split("/")
    ]
    return f"{exchange.method} {'/'.join(parts)}"


def settled(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The exchanges without polling: of the same question asked in a row, the last counts."""
    kept: list[Exchange] = []
    last: dict[str, int] = {}
    for each in exchanges:
        client = _client(each)
        before = last.get(client) if each.place is None else None
        if before is not None and each.method == "GET" and _same(kept[before], each):
            kept[before] = each
        else:
            last[client] = len(kept)
            kept.append(each)
    return kept


def _same(one: Exchange, other: Exchange) -> bool:
    """Whether one client asked the same again, as the same user."""
    return (one.method, one.target, _user(one)) == (other.method, other.target, _user(other))


def _user(exchange: Exchange) -> list[str]:
    return [
        value
        for name, value in exchange.request_headers
        if name.lower() in ("cookie", "authorization")
    ]


def aligned(
    left: list[Exchange], right: list[Exchange]
) -> tuple[list[tuple[Exchange, Exchange]], list[Exchange], list[Exchange]]:
    """Pairs of the same request in both recordings, and what stands in only one of them.

    Requests of one kind of client are aligned among themselves, and in order only those of the
    client that asks most, the tests: what an outside system sends at its own time (a webhook) may
    come earlier or later, so that its n-th request of one body is the n-th of that body.
    The steps of a replay are the same by their place.
    """
    placed = {each.place: each for each in right if each.place is not None}
    steps = [(each, placed[each.place]) for each in left if each.place in placed]
    left = [each for each in left if each.place not in placed]
    right = [each for each in right if each.place is None]
    asked = Counter(_client(each) for each in left)
    tests = max(asked, key=lambda client: (asked[client], client), default="")
    pairs = steps
    only_left: list[Exchange] = []
    only_right: list[Exchange] = []
    for client in sorted({_client(each) for each in left + right}):
        align = _aligned_in_order if client == tests else _aligned_by_body
        same, gone, new = align(
            [each for each in left if _client(each) == client],
            [each for each in right if _client(each) == client],
        )
        pairs += same
        only_left += gone
        only_right += new
    return pairs, only_left, only_right


def _client(exchange: Exchange) -> str:
    return next((v for k, v in exchange.request_headers if k.lower() == "user-agent"), "")


def _aligned_by_body(
    left: list[Exchange], right: list[Exchange]
) -> tuple[list[tuple[Exchange, Exchange]], list[Exchange], list[Exchange]]:
    waiting: dict[tuple[str, bytes], list[Exchange]] = {}
    for each in right:
        waiting.setdefault(_exact(each), []).append(each)
    pairs: list[tuple[Exchange, Exchange]] = []
    only_left: list[Exchange] = []
    for each in left:
        found = waiting.get(_exact(each))
        if found:
            pairs.append((each, found.pop(0)))
        else:
            only_left.append(each)
    others = {id(each) for found in waiting.values() for each in found}
    more, gone, new = _aligned_in_order(only_left, [e for e in right if id(e) in others])
    return pairs + more, gone, new


def _aligned_in_order(
    left: list[Exchange], right: list[Exchange]
) -> tuple[list[tuple[Exchange, Exchange]], list[Exchange], list[Exchange]]:
    same = {_exact(each) for each in left} & {_exact(each) for each in right}
    matcher = SequenceMatcher(
        a=[_recognised(each, same) for each in left],
        b=[_recognised(each, same) for each in right],
        autojunk=False,
    )
    pairs: list[tuple[Exchange, Exchange]] = []
    only_left: list[Exchange] = []
    only_right: list[Exchange] = []
    for tag, a, a_end, b, b_end in matcher.get_opcodes():
        if tag == "equal":
            pairs.extend(zip(left[a:a_end], right[b:b_end], strict=True))
        else:
            only_left.extend(left[a:a_end])
            only_right.extend(right[b:b_end])
    return pairs, only_left, only_right


def _exact(exchange: Exchange) -> tuple[str, bytes]:
    return (request_shape(exchange), hashlib.sha256(exchange.request_body).digest())


def _recognised(exchange: Exchange, same: set[tuple[str, bytes]]) -> tuple[str, bytes]:
    """A request by its body too, where the other recording has one with that very body."""
    exact = _exact(exchange)
    return exact if exact in same else (exact[0], b"")


def noise_between(first: list[Exchange], second: list[Exchange], base_url: str) -> set[Noise]:
    """The fields in which two runs of the monolith alone differ."""
    found: set[Noise] = set()
    pairs, only_first, only_second = aligned(settled(first), settled(second))
    for a, b in pairs:
        fields_a, fields_b = fields_of(a, base_url), fields_of(b, base_url)
        found |= _varying(request_shape(a), fields_a, fields_b)
    for each in only_first + only_second:
        found.add(Noise(request=request_shape(each), field="request"))
    return found | _passing(first, base_url) | _passing(second, base_url)


def _varying(shape: str, one: Fields, other: Fields) -> set[Noise]:
    """Fields of which both have other values, and whether the same values stand elsewhere."""
    names = {
        without_positions(name)
        for name in one.keys() | other.keys()
        if one.get(name) != other.get(name)
    }
    values = {name for name, _ in (_anywhere(one) - _anywhere(other))}
    values |= {name for name, _ in (_anywhere(other) - _anywhere(one))}
    moved = {ORDER} if names - values else set()
    kinds = {
        _kinds(without_positions(name), one.get(name, ABSENT), other.get(name, ABSENT))
        for name in one.keys() | other.keys()
        if without_positions(name) in values
    }
    return {Noise(request=shape, field=field) for field in values | moved | kinds - {""}}


def _anywhere(fields: Fields) -> Counter[tuple[str, str]]:
    """Fields with their values, wherever in their lists they stand."""
    return Counter((without_positions(name), value) for name, value in fields.items())


def _passing(exchanges: list[Exchange], base_url: str) -> set[Noise]:
    """Texts of JSON that change while a client does nothing but ask again: work beside requests.

    Any answer that comes at that moment, to whatever request, may hold one or the other. The name
    is that of the field, with both texts.
    """
    found: set[Noise] = set()
    asked: dict[str, list[Exchange]] = {}
    for each in exchanges:
        polls = asked.setdefault(_client(each), [])
        if polls and not (each.method == "GET" and _same(polls[0], each)):
            polls.clear()
        polls.append(each)
        for before in polls[:-1]:
            old, new = fields_of(before, base_url), fields_of(each, base_url)
            for name in old.keys() & new.keys():
                if old[name] != new[name] and _is_text(name, old[name]):
                    found.add(_change(name, old[name], new[name]))
    return found


def _change(name: str, one: str, other: str) -> Noise:
    tail = name.rpartition(".")[2]
    return Noise(request="(any)", field=f"{tail}: {' or '.join(sorted((one, other)))}")


def _is_text(name: str, value: str) -> bool:
    return name.startswith("body.") and not is_html(name) and value[:1] == '"'


def compare(
    monolith: list[Exchange], services: list[Exchange], noise: set[Noise], base_url: str
) -> Compared:
    """Compare the monolith's recording with that of the services, request by request."""
    left, right = settled(monolith), settled(services)
    pairs, only_left, only_right = aligned(left, right)
    differences: list[Difference] = []
    equal = 0
    for a, b in pairs:
        found = _differences(a, b, noise, base_url)
        equal += not found
        differences.extend(found)
    missing = [(each, "asked", ABSENT) for each in only_left]
    added = [(each, ABSENT, "asked") for each in only_right]
    unpaired = [
        _difference(each, "request", on_monolith, on_services)
        for each, on_monolith, on_services in missing + added
        if Noise(request=request_shape(each), field="request") not in noise
    ]
    differences.extend(unpaired)
    return Compared(
        requests=len(pairs) + len(unpaired),
        equal=equal,
        differences=differences,
        noise=sorted(noise, key=lambda each: (each.request, each.field)),
        polls=len(monolith) - len(left),
    )


def _differences(a: Exchange, b: Exchange, noise: set[Noise], base_url: str) -> list[Difference]:
    if a.status == NO_ANSWER and stands_for(a.status, b.status):
        return []
    fields_a, fields_b = fields_of(a, base_url), fields_of(b, base_url)
    return [
        _difference(a, name, on_a, on_b)
        for name, on_a, on_b in differing(request_shape(a), fields_a, fields_b, noise)
        if not _is_text(name, on_a) or _change(name, on_a, on_b) not in noise
    ]


def differing(
    shape: str, one: Fields, other: Fields, noise: set[Noise], *, kinds: bool = True
) -> list[tuple[str, str, str]]:
    """Fields with both values where two answers to one request differ otherwise than by noise.

    With `kinds` what varies has to stay a number, a text, or absent, unless it was seen as both.
    Where the order varies by itself, the same values have to be there, in any order.
    """
    found = [
        (name, on_one, on_other)
        for name in sorted(one.keys() | other.keys())
        if (on_one := one.get(name, ABSENT)) != (on_other := other.get(name, ABSENT))
        and not (
            Noise(request=shape, field=without_positions(name)) in noise
            and (
                not kinds
                or not (varied := _kinds(without_positions(name), on_one, on_other))
                or Noise(request=shape, field=varied) in noise
            )
        )
    ]
    if not found or Noise(request=shape, field=ORDER) not in noise:
        return found
    only_one, only_other = _anywhere(one) - _anywhere(other), _anywhere(other) - _anywhere(one)
    return [
        (name, on_one, on_other)
        for name in sorted({name for name, _ in (*only_one, *only_other)})
        if Noise(request=shape, field=name) not in noise
        for on_one, on_other in zip_longest(
            sorted(value for each, value in only_one.elements() if each == name),
            sorted(value for each, value in only_other.elements() if each == name),
            fillvalue=ABSENT,
        )
    ]


def _kinds(name: str, one: str, other: str) -> str:
    """The field with the two kinds of its values; empty where they are of one kind."""
    kinds = sorted({_kind(one), _kind(other)})
    return f"{name}: {' or '.join(kinds)}" if len(kinds) > 1 else ""


def _kind(value: str) -> str:
    """What stays the same of a value that varies: whether it is there, null, a number, a text."""
    if value in (ABSENT, "null", "", '""'):
        return value
    if value in ("true", "false"):
        return "boolean"
    return "number" if re.fullmatch(r"-?\d+(\.\d+)?([eE]-?\d+)?", value) else "text"


def _difference(exchange: Exchange, field: str, monolith: str, services: str) -> Difference:
    return Difference(
        request=f"{exchange.method} {exchange.target}",
        field=field,
        monolith=_short(monolith),
        services=_short(services),
        path=exchange.path,
        ordinal=exchange.ordinal,
    )


def _short(value: str) -> str:
    return value if len(value) <= 300 else f"{value[:300]}… ({len(value)} characters)"

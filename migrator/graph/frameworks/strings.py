"""Methods of strings whose text is known: names of tables and keys are often put together."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_PLAIN = frozenset({"lower", "upper", "title", "capitalize", "casefold", "swapcase"})
_STRIPS = frozenset({"strip", "lstrip", "rstrip", "removeprefix", "removesuffix"})
_HOLE = "{}"
_LONGEST = 20_000
_MOST_COMBINATIONS = 16
_MOST_PARTS = 100


class Strings(Framework):
    """The plug-in: what comes out of `"{0}.{1}".format(a, b)` and the like."""

    name = "strings"
    externals = ("builtins.str", "re.sub")

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL and view.name == "re.sub":
            return self._substituted(engine, site)
        if view.kind != Kind.BOUND:
            return None
        text = engine.values.text(view.owner)
        if text is None or len(text) > _LONGEST:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if method == "format":
            if _is_early(site) and engine.wait():
                return ()
            return [_value(engine, each) for each in _formatted(site, text)] or None
        if method == "join":
            if engine.wait():
                return ()
            return [_value(engine, each) for each in _joined(engine, site, text)] or None
        found = _applied(engine, site, text, method)
        return None if found is None else (_value(engine, found),)

    def _substituted(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        pattern, replacement, text = site.text(0), site.text(1), site.text(2)
        if pattern is None or replacement is None or text is None or len(text) > 200:
            return None
        try:
            return (_value(engine, re.sub(pattern, replacement, text)),)
        except (re.error, IndexError):
            return None


def _value(engine: Engine, text: str) -> int:
    return engine.values.template(text) if _HOLE in text else engine.values.string(text)


def _joined(engine: Engine, site: CallSite, separator: str) -> list[str]:
    """What `separator.join(parts)` gives, the parts in the order in which they were put there.

    One that is added under a condition is there: a statement that has all of its clauses names all
    the tables that one with fewer does.
    """
    return [
        found
        for container in site.argument(0)
        if engine.values.kind(container) == Kind.CONTAINER
        for texts in (_parts(engine, container),)
        if texts and len(found := separator.join(texts)) <= _LONGEST
    ]


def _parts(engine: Engine, container: int) -> list[str]:
    """The texts that a container holds, with holes for what is not known.

    What a display puts there stands under its number and comes before what is added.
    """
    placed = [each for key in engine.keys(container) for each in engine.under(container, key)]
    held = tuple(dict.fromkeys((*placed, *engine.held(container))))
    parts = [engine.values.text(each) for each in held[:_MOST_PARTS]]
    if not any(parts):
        return []
    return [_HOLE if each is None else each for each in parts]


def _applied(engine: Engine, site: CallSite, text: str, method: str) -> str | None:
    """The text that a method gives, with holes for what is not known."""
    if method in _PLAIN:
        return str(getattr(text, method)())
    if method in _STRIPS:
        given = site.text(0)
        if given is None and site.given(0):
            return None
        result = getattr(text, method)(given) if given is not None else getattr(text, method)()
        return str(result)
    if method == "replace":
        old, new = site.text(0), site.text(1)
        return text.replace(old, new) if old and new is not None else None
    return None


def _is_early(site: CallSite) -> bool:
    """Whether nothing is known yet of what a text is filled with."""
    values = [site.argument(position) for position in range(site.positional)]
    values += [site.argument(-1, name) for name in site.keywords]
    return not all(values)


def _formatted(site: CallSite, text: str) -> list[str]:
    """What `text.format(...)` may give, with holes for what is not known or may be too much."""
    texts = [""]
    automatic = 0
    try:
        for literal, field, _, _ in string.Formatter().parse(text):
            texts = [each + literal for each in texts]
            if field is None:
                continue
            if field == "" or field.isdigit():
                known = site.texts(int(field) if field else automatic)
                automatic += 1
            else:
                known = site.texts(-1, field)
            if not known or len(known) * len(texts) > _MOST_COMBINATIONS:
                known = (_HOLE,)
            texts = [each + choice for each in texts for choice in known]
    except ValueError:
        return []
    return texts

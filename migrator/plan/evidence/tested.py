"""What the application's own tests reach: entry points by URL, functions by import and call."""

from __future__ import annotations

import re
from functools import cached_property

from migrator.facts.inspection import FileText, Texts, Url
from migrator.model.program import Program, Route

_ANY_PART = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>|\{(\w+)(?::path)?\}")


class ReachedByTests:
    """Read off the texts of the tests, which are never run."""

    def __init__(self, program: Program, texts: Texts) -> None:
        self._program = program
        self._texts = [texts[file] for file in program.tests]

    @cached_property
    def entry_points(self) -> frozenset[str]:
        """Entry points of which a test asks a URL, or whose handler a test calls."""
        urls = dict.fromkeys(url for text in self._texts for url in text.urls)
        reached: set[str] = set()
        for url in urls:
            reached |= self._asked(url)
        reached |= self._called_entry_points()
        return frozenset(reached | self._sent(reached))

    def _asked(self, url: Url) -> set[str]:
        """The entry points that answer a URL.

        What is filled in before it is the address of the server; where nothing answers the rest,
        it is the beginning of the path.
        """
        path = url.text.split("?")[0].split("#")[0]
        rest = path.removeprefix("{}")
        if rest.startswith("//"):
            return set()
        for end in (False, True) if rest != path and len(rest) > 1 else (False,):
            found = {
                entry.name
                for entry in self._program.entry_points.values()
                if any(_asks(route, url.method, rest, end=end) for route in entry.routes)
            }
            if found:
                return found
        return set()

    def _called_entry_points(self) -> set[str]:
        return {
            entry.name
            for entry in self._program.entry_points.values()
            if entry.handler in self.called
        }

    def _sent(self, reached: set[str]) -> set[str]:
        """Receivers of signals that the functions of reached entry points send."""
        entries = self._program.entry_points
        functions = {f for name in reached for f in entries[name].functions} | self.called
        emitted = {
            event.target
            for name in functions & self._program.functions.keys()
            for event in self._program.functions[name].events
            if event.kind == "emit"
        }
        return {e.name for e in entries.values() if e.kind == "signal" and e.trigger in emitted}

    @cached_property
    def called(self) -> frozenset[str]:
        """Functions that tests import and call by themselves."""
        found: set[str] = set()
        for text in self._texts:
            found |= self._called_in(text)
        return frozenset(found)

    def _called_in(self, text: FileText) -> set[str]:
        functions, found = self._program.functions, set()
        for name in text.imports:
            if name in functions and name not in self._program.modules:
                found.add(name)
            if name in self._program.modules or name in self._program.classes:
                found |= {
                    f"{name}.{called}" for called in text.called if f"{name}.{called}" in functions
                }
        return found

    @cached_property
    def functions(self) -> frozenset[str]:
        """All functions that tests reach, through entry points and calls."""
        found = set(self.called)
        for name in self.entry_points:
            found |= set(self._program.entry_points[name].functions)
        waiting = list(self.called)
        while waiting:
            function = self._program.functions.get(waiting.pop())
            for event in function.events if function is not None else ():
                if event.kind == "call" and event.target not in found:
                    found.add(event.target)
                    waiting.append(event.target)
        return frozenset(found)


def _asks(route: Route, method: str, path: str, *, end: bool = False) -> bool:
    """Whether a path is one of a route's; with `end`, whether it is the end of one."""
    if method and method not in {*route.methods, "HEAD", "OPTIONS"}:
        return False
    if end:
        sample = _ANY_PART.sub("1", route.rule)
        return sample.rstrip("/").endswith(path.rstrip("/").replace("{}", "1"))
    return bool(_pattern(route.rule).match(path))


_PATTERNS: dict[str, re.Pattern[str]] = {}


def _pattern(rule: str) -> re.Pattern[str]:
    """What paths a rule answers; a part that a test fills in may be anything."""
    if rule not in _PATTERNS:
        parts, end = [], 0
        for match in _ANY_PART.finditer(rule):
            parts.append(re.escape(rule[end : match.start()]))
            parts.append(".+" if match.group(1) == "path" else "[^/]+")
            end = match.end()
        body = "".join([*parts, re.escape(rule[end:])])
        _PATTERNS[rule] = re.compile(body.rstrip("/") + r"/?\Z")
    return _PATTERNS[rule]

"""The stored graph brought up to date where nothing but lines of code has moved since.

Comments, blank lines and docstrings change no fact but places; what tests do that nothing else
imports changes none at all. Such a graph needs no linking: its places are renewed, and it is byte
for byte what an analysis from the start would store. Of anything else nothing is taken over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from migrator.facts.moves import Moves, moves
from migrator.facts.observation.session import observations_digest
from migrator.facts.project import Change, changes, digest_of_all
from migrator.facts.source import content_of, outcome_of
from migrator.graph import store
from migrator.graph.effects.refreshes import REFRESH
from migrator.model.errors import ConfigurationError
from migrator.model.graph import GraphColumns
from migrator.model.memory import without_collection
from migrator.model.program import Function, Program
from migrator.model.settings import Settings


class _Elsewhere(Exception):
    """A place is told that cannot be renewed."""


def renew(root: Path, settings: Settings) -> bool:
    """Bring the stored graph of a project up to date; whether it could be done."""
    try:
        with store.opened(root) as file, without_collection():
            head = store.head_of(file)
            if not store.same_maker(head, settings) or head.observed or observations_digest(root):
                return False  # what ran is told by the lines of then
            found = changes(root, settings, head.files, head.digests[1])
            if found is None:
                return False
            files, changed = found
            moved = _moves(changed, frozenset(head.tests))
            if moved is None:
                return False
            columns, shared = store.body_of(file)
            _Renewal(columns, moved).run()
    except (ConfigurationError, _Elsewhere):
        return False
    program = columns.program
    program.files, program.digest = files, digest_of_all(files)
    summary = {**head.summary, "lines": program.lines}
    store.write(root, settings, columns, shared, summary)
    return True


def _moves(changed: Iterable[Change], tests: frozenset[str]) -> dict[str, Moves] | None:
    """By file where its lines went; None where more has changed in any."""
    found: dict[str, Moves] = {}
    for each in changed:
        if each.path in tests:
            if _imports(each.before) != _imports(each.after):
                return None
            continue
        moved = moves(content_of(each.before), content_of(each.after))
        if moved is None:
            return None
        found[each.path] = moved
    return found


def _imports(stored: bytes) -> object:
    """All that is looked at of a test: what it imports."""
    facts = outcome_of(stored).facts
    return object() if facts is None else [each._replace(line=0) for each in facts.imports]


class _Renewal:
    """Gives the places in the files of `moved` the lines that they have now.

    Raises _Elsewhere where it is not known which these are.
    """

    def __init__(self, columns: GraphColumns, moved: Mapping[str, Moves]) -> None:
        self.columns = columns
        self.program: Program = columns.program
        self.moved = moved
        self.lines = {file: {0: 0, **each.lines} for file, each in moved.items()}

    def run(self) -> None:
        if not self.moved:
            return
        self._columns()
        self._functions()
        program = self.program
        files = set(program.modules.values())
        moved = [each for file, each in self.moved.items() if file in files]
        program.lines += sum(each.after - each.before for each in moved)
        program.tables = {name: self._of(each, "") for name, each in program.tables.items()}
        entry_points = program.entry_points
        program.entry_points = {name: self._of(each, "") for name, each in entry_points.items()}
        program.state = [self._of(each, "") for each in program.state]
        program.unresolved = [self._of(each, "") for each in program.unresolved]
        program.skipped = [self._of(each, "") for each in program.skipped]
        for name, places in program.environment.items():
            program.environment[name] = sorted(map(self._text, places))
        if program.enforces_keys:
            program.enforces_keys = self._text(program.enforces_keys)

    def _line(self, file: str, line: int) -> int:
        lines = self.lines.get(file)
        if lines is None:
            return line
        try:
            return lines[line]
        except KeyError:
            raise _Elsewhere from None

    def _text(self, place: str) -> str:
        file, _, line = place.rpartition(":")
        return f"{file}:{self._line(file, int(line))}"

    def _of(self, value: Any, file: str) -> Any:
        """A part of the program whose places are in `file` where it does not say so itself."""
        if isinstance(value, tuple):
            return tuple([self._of(each, file) for each in value])
        if not isinstance(value, msgspec.Struct):
            return value
        file = getattr(value, "file", file)
        renewed = {}
        for name in value.__struct_fields__:
            known = getattr(value, name)
            if name in ("line", "end_line"):
                new = self._line(file, known)
            elif isinstance(known, tuple | msgspec.Struct):
                new = self._of(known, file)
            else:
                continue
            if new != known:
                renewed[name] = new
        return msgspec.structs.replace(value, **renewed) if renewed else value

    def _columns(self) -> None:
        columns = self.columns
        files = {number: text for number, text in enumerate(columns.strings) if text in self.moved}
        for node, number in enumerate(columns.node_file):
            if number in files:
                columns.node_line[node] = self._line(files[number], columns.node_line[node])
        for edge, number in enumerate(columns.edge_file):
            if number in files:
                columns.edge_line[edge] = self._line(files[number], columns.edge_line[edge])

    def _functions(self) -> None:
        module_of = {file: name for name, file in self.program.modules.items()}
        names = tuple(module_of[file] for file in self.moved if file in module_of)
        for functions in (self.program.functions, self.program.variants):
            for key, each in functions.items():
                if each.file in self.moved:
                    if self._owner(each.name) != module_of.get(each.file):
                        raise _Elsewhere  # some of it may stand in another file
                    functions[key] = self._function(each, module_of[each.file])
                elif each.name.startswith(names) and self._owner(each.name) in names:
                    raise _Elsewhere

    def _owner(self, function: str) -> str:
        """The module with the longest name that a function may be of."""
        while function and function not in self.program.modules:
            function = function.rpartition(".")[0]
        return function

    def _function(self, function: Function, module: str) -> Function:
        if function.name != module:
            return self._of(function, "")  # type: ignore[no-any-return]
        moves = self.moved[function.file]
        end = function.end_line
        if moves.lines.get(end) != moves.after and any(
            each.line == end and each.via == REFRESH for each in function.events
        ):
            raise _Elsewhere  # at the last line of code, or at the end of the file
        events = self._of(function.events, function.file)
        return msgspec.structs.replace(function, end_line=moves.after, events=events)

"""Faults put into generated services on purpose: a proof that misses them proves nothing.

Mutation testing (DeMillo, Lipton and Sayward, 1978) of the whole system: each fault is one change
in a copy of the generated services, of the kinds that a wrong split would cause.
"""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import msgspec

from migrator.facts.syntax import parse
from migrator.model.manifest import ServiceManifest, System
from migrator.model.private import PRIVATE
from migrator.model.program import Function, Program

WRITE_DROPPED = "write dropped"
CONDITION_FLIPPED = "condition flipped"
EVENT_LOST = "event lost"
WRONG_OWNER = "wrong owner"


class Fault(msgspec.Struct, kw_only=True, frozen=True):
    """One change: the text of `file` from `start` to `end` (offsets) becomes `replacement`."""

    kind: str
    service: str
    file: str
    """Relative to the folder of the generated system."""
    line: int
    what: str
    start: int
    end: int
    replacement: str


def propose_faults(output: Path, program: Program, count: int) -> list[Fault]:
    """At most `count` faults, spread over kinds and services; the same input, the same faults."""
    system = msgspec.json.decode((output / "system.json").read_bytes(), type=System)
    kinds: dict[str, list[list[Fault]]] = {}
    for name in sorted(system.services):
        path = output / name / "service.json"
        manifest = msgspec.json.decode(path.read_bytes(), type=ServiceManifest)
        for kind, faults in _of_service(output, manifest, system, program).items():
            kinds.setdefault(kind, []).append(faults)
    spread = [list(_in_turn(per_service)) for per_service in kinds.values()]
    return list(_in_turn(spread))[:count]


def inject(output: Path, fault: Fault, target: Path) -> None:
    """Copy the generated system to `target` (environments and data left behind), with the fault."""
    shutil.copytree(output, target, ignore=shutil.ignore_patterns(PRIVATE, "__pycache__"))
    path = target / fault.file
    text = path.read_text()
    path.write_text(text[: fault.start] + fault.replacement + text[fault.end :])


def _in_turn(lists: list[list[Fault]]) -> Iterator[Fault]:
    for row in zip_longest(*lists):
        yield from (each for each in row if each is not None)


def _of_service(
    output: Path, manifest: ServiceManifest, system: System, program: Program
) -> dict[str, list[Fault]]:
    found: dict[str, list[Fault]] = {
        WRITE_DROPPED: [],
        CONDITION_FLIPPED: [],
        EVENT_LOST: _lost_events(output, manifest),
        WRONG_OWNER: _wrong_owners(output, manifest, system),
    }
    sources = _Sources(output, manifest.name, program)
    handlers = [
        program.entry_points[route.entry_point]
        for route in manifest.routes.values()
        if route.entry_point in program.entry_points
    ]
    for entry in sorted(handlers, key=lambda entry: entry.name):
        function = program.functions.get(entry.handler)
        source = sources.of(function)
        body = source.function(function) if source and function else None
        if source is None or function is None or body is None:
            continue
        found[CONDITION_FLIPPED].extend(source.flipped_conditions(body))
        for name in [function.name, *_callees(function)]:
            known = program.functions.get(name)
            place = sources.of(known)
            if place is not None and known is not None:
                found[WRITE_DROPPED].extend(place.dropped_writes(known))
    return {kind: list(dict.fromkeys(faults)) for kind, faults in found.items()}


class _Sources:
    """The files of a service by the function of the monolith in them, each parsed once."""

    def __init__(self, output: Path, service: str, program: Program) -> None:
        self._output, self._service, self._program = output, service, program
        self._read: dict[Path, _Source] = {}

    def of(self, function: Function | None) -> _Source | None:
        """The file in which the service has the function; None where it has no such file."""
        if function is None:
            return None
        file = _in_source_root(function.file, self._program)
        path = self._output / self._service / "src" / file
        if path not in self._read and path.exists():
            name = path.relative_to(self._output).as_posix()
            self._read[path] = _Source(path, name, self._service)
        return self._read.get(path)


def _callees(function: Function) -> list[str]:
    return [each.target for each in function.events if each.kind == "call"]


def _in_source_root(file: str, program: Program) -> str:
    roots = sorted((r for r in program.source_roots if r not in ("", ".")), key=len, reverse=True)
    for root in roots:
        if file.startswith(f"{root}/"):
            return file[len(root) + 1 :]
    return file


class _Source:
    """A file of a service, with the faults that can be put into it."""

    def __init__(self, path: Path, name: str, service: str) -> None:
        self.text = path.read_text()
        self.name = name
        self.service = service
        self._starts = [0]
        for line in self.text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._lines = self.text.splitlines()
        self.tree = parse(self.text.encode())

    def function(self, function: Function) -> ast.FunctionDef | None:
        """The definition by its name and, within a class, its class's name."""
        own = function.name.rpartition(".")[2]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef) and node.name == own:
                return node
        return None

    def flipped_conditions(self, body: ast.FunctionDef) -> Iterator[Fault]:
        """One fault for each `if` at the first level of a handler."""
        for node in body.body:
            if isinstance(node, ast.If):
                test = self._slice(node.test)
                yield self._fault(CONDITION_FLIPPED, node.test, f"not ({test})", f"if not ({test})")

    def dropped_writes(self, function: Function) -> Iterator[Fault]:
        """One fault for each statement at the first level that writes a table or commits."""
        definition = self.function(function)
        if definition is None:
            return
        shift = definition.lineno - function.line
        places = {each.line + shift for each in function.events if each.kind in ("write", "commit")}
        for node in definition.body:
            alone = isinstance(node, (ast.Expr, ast.AugAssign)) or (
                isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute)
            )
            if alone and places & set(range(node.lineno, (node.end_lineno or 0) + 1)):
                yield self._fault(WRITE_DROPPED, node, "pass", self._slice(node))

    def _slice(self, node: ast.expr | ast.stmt) -> str:
        return ast.get_source_segment(self.text, node) or ""

    def _offset(self, line: int, column: int) -> int:
        characters = len(self._lines[line - 1].encode()[:column].decode())
        return self._starts[line - 1] + characters

    def _fault(self, kind: str, node: ast.expr | ast.stmt, replacement: str, what: str) -> Fault:
        return Fault(
            kind=kind,
            service=self.service,
            file=self.name,
            line=node.lineno,
            what=" ".join(what.split()),
            start=self._offset(node.lineno, node.col_offset),
            end=self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0),
            replacement=replacement,
        )


def _lost_events(output: Path, manifest: ServiceManifest) -> list[Fault]:
    """A table that siblings hold copies of is no longer published."""
    return [
        _in_manifest(
            output,
            manifest.name,
            EVENT_LOST,
            f"changes of `{table}` are not published",
            ("tables", table, "published"),
            False,
        )
        for table, owned in sorted(manifest.tables.items())
        if owned.published
    ]


def _wrong_owners(output: Path, manifest: ServiceManifest, system: System) -> list[Fault]:
    """A crossing call goes to another service than the owner."""
    faults = []
    for function, call in sorted(manifest.calls.items()):
        others = [each for each in system.services if each not in (call.owner, manifest.name)]
        if others:
            faults.append(
                _in_manifest(
                    output,
                    manifest.name,
                    WRONG_OWNER,
                    f"`{function}` is sent to {others[0]}",
                    ("calls", function, "owner"),
                    others[0],
                )
            )
    return faults


def _in_manifest(
    output: Path, service: str, kind: str, what: str, path: tuple[str, str, str], value: object
) -> Fault:
    file = output / service / "service.json"
    text = file.read_text()
    manifest = json.loads(text)
    manifest[path[0]][path[1]][path[2]] = value
    return Fault(
        kind=kind,
        service=service,
        file=f"{service}/service.json",
        line=0,
        what=what,
        start=0,
        end=len(text),
        replacement=json.dumps(manifest, indent=2, sort_keys=True),
    )

"""Files that the application keeps on its disk: in which folders, and who writes and reads them.

By the setting that says where they lie, or by the path that the code writes out; and the full-text
indexes that extensions keep in files, written whenever their tables are.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from migrator.facts.syntax import nodes_of, parse
from migrator.graph.analysis import Analysis, FileUse
from migrator.graph.effects.closure import Closure
from migrator.graph.effects.folders import Folders
from migrator.model.program import StateFinding

_FOLDER_KEY = re.compile(r"DIR|FOLDER|ROOT|PATH|HOME|UPLOAD|MEDIA|STORAGE|FILE", re.IGNORECASE)
_NEAR = 3


def kept_files(analysis: Analysis, closure: Closure, folders: Folders) -> Iterator[StateFinding]:
    """Files that are written while the program runs, by the setting that says where they lie."""
    keys = _keys_of_functions(analysis)
    callers = _callers(analysis, closure)
    found: dict[str, list[FileUse]] = {}
    paths: dict[str, str] = {}
    for use in analysis.file_uses:
        if use.function in analysis.program.modules:
            continue
        named = (
            ([use.setting] if use.setting else [])
            or _folders(closure, keys, use.function)
            or _folders_of_callers(closure, keys, callers, use.function)
        )
        paths |= {name: folders.of_setting(name) for name in named if name not in paths}
        if not any(paths[name] for name in named):
            written = _written_out(analysis, folders, use)
            paths |= {name: name for name in written}
            named = written or named
        for name in named or (use.function,):
            found.setdefault(name, []).append(use)
    for name, uses in found.items():
        writers = [use for use in uses if use.kind == "write"]
        if not writers:
            continue
        first = min(writers, key=lambda use: (use.file, use.line))
        writing = {use.function for use in writers}
        yield StateFinding(
            kind="local-file",
            name=name,
            file=first.file,
            line=first.line,
            detail=", ".join(sorted({use.how.rsplit(".", 1)[-1] for use in writers})),
            writers=tuple(sorted(writing)),
            readers=tuple(sorted({use.function for use in uses} - writing)),
            path=paths.get(name, ""),
        )


def folders_of_project(analysis: Analysis) -> Folders:
    """What settings and expressions of the project name."""
    run = analysis.settings.run
    return Folders(
        analysis.root, analysis.program.modules, run.environment if run is not None else {}
    )


def _written_out(analysis: Analysis, folders: Folders, use: FileUse) -> list[str]:
    """The folders that a use's own code names, where no setting does."""
    if use.text:
        return [path for path in (folders.of_text(use.text),) if path]
    function = analysis.program.functions.get(use.function)
    if function is None:
        return []
    module = next((m for m, f in analysis.program.modules.items() if f == function.file), "")
    return folders.of_function(module, function.line, function.end_line)


def _functions_by_file(analysis: Analysis) -> dict[str, list[tuple[int, int, str]]]:
    """Files to first line, last line and name of each function in them."""
    found: dict[str, list[tuple[int, int, str]]] = {}
    for function in analysis.program.functions.values():
        found.setdefault(function.file, []).append(
            (function.line, function.end_line, function.name)
        )
    return found


def _keys_of_functions(analysis: Analysis) -> dict[str, set[str]]:
    """Functions to the settings that they read and that name a folder."""
    by_file = _functions_by_file(analysis)
    found: dict[str, set[str]] = {}
    for key, places in analysis.program.environment.items():
        if not _FOLDER_KEY.search(key):
            continue
        for place in places:
            file, _, line = place.rpartition(":")
            inside = [
                (end - start, name)
                for start, end, name in by_file.get(file, ())
                if start <= int(line) <= end and name not in analysis.program.modules
            ]
            if inside:
                found.setdefault(min(inside)[1], set()).add(key)
    return found


def _folders(closure: Closure, keys: dict[str, set[str]], function: str) -> list[str]:
    """The settings that a function or the nearest of its callees reads."""
    near = [function]
    seen = {function}
    for _ in range(_NEAR):
        named = sorted({key for each in near for key in keys.get(closure.name(each), ())})
        if named:
            return named
        near = [
            called for each in near for called in closure.direct_callees(each) if called not in seen
        ]
        seen.update(near)
    return []


def _callers(analysis: Analysis, closure: Closure) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in analysis.program.functions:
        for called in closure.direct_callees(name):
            found.setdefault(closure.name(called), set()).add(name)
    return found


def _folders_of_callers(
    closure: Closure, keys: dict[str, set[str]], callers: dict[str, set[str]], function: str
) -> list[str]:
    """Of a function that is given its path: the settings that those who call it read."""
    return sorted(
        {key for caller in callers.get(function, ()) for key in _folders(closure, keys, caller)}
    )


def kept_indexes(analysis: Analysis, folders: Folders) -> Iterator[StateFinding]:
    """Indexes in files: writing one of their tables writes them, a search reads them."""
    for index in analysis.indexes:
        base = folders.of_setting(index.setting) or index.folder
        writers = {
            function.name
            for function in analysis.program.functions.values()
            if any(e.kind == "write" and e.target in index.tables for e in function.events)
        }
        yield StateFinding(
            kind="index",
            name=f"{index.extension} {index.name}",
            file=index.file,
            line=index.line,
            detail=f"index of {', '.join(index.tables)}",
            writers=tuple(sorted(writers)),
            readers=tuple(sorted(_callers_of(analysis, index.searches) - writers)),
            path=f"{base}/{index.name}",
            tables=index.tables,
        )


def _callers_of(analysis: Analysis, methods: tuple[str, ...]) -> set[str]:
    """Functions whose code uses an attribute of one of these names."""
    found: set[str] = set()
    needles = [method.encode() for method in methods]
    for file, functions in _functions_by_file(analysis).items():
        try:
            content = (analysis.root / file).read_bytes()
            if not any(needle in content for needle in needles):
                continue
            tree = parse(content)
        except (OSError, SyntaxError, ValueError, RecursionError):
            continue
        for node in nodes_of(tree):
            if isinstance(node, ast.Attribute) and node.attr in methods:
                inside = [(b - a, name) for a, b, name in functions if a <= node.lineno <= b]
                found.update(name for _, name in sorted(inside)[:1])
    return found

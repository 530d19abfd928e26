"""The files beside the code that a service needs: templates, static files, package data."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from migrator.generation.names import Project, source_path
from migrator.generation.scopes import Text
from migrator.generation.source import Module, Unit
from migrator.model.program import Program
from migrator.model.settings import Run

_TAG = re.compile(r"{%[-+]?\s*(?:extends|include|import|from)\b(.*?)%}", re.DOTALL)
_QUOTED = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_NEVER = frozenset({"__pycache__", "node_modules", "venv", "env", "instance", "tests", "test"})
_PLACEHOLDERS = frozenset({".gitkeep", ".keep", ".placeholder"})
"""Names of files by which people keep a folder that is otherwise empty under version control."""
_DATABASES = frozenset({".db", ".sqlite", ".sqlite3", ".pyc", ".pyo", ".log", ".pid"})


@dataclass
class Templates:
    """All templates of the monolith: which name which, and which the code names."""

    files: dict[str, str]
    """Template name to file."""
    names_in: dict[str, set[str]] = field(default_factory=dict)

    def closure(self, roots: Iterable[str]) -> set[str]:
        """The templates that `roots` need through extends, include and import."""
        found: set[str] = set()
        waiting = [each for each in roots if each in self.files]
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.names_in.get(name, ()))
        return found


def read_templates(program: Program) -> Templates:
    """The templates of the program and what each names; a computed name stands for all it fits."""
    root = Path(program.root)
    templates = Templates(dict(program.templates) or dict(_find_templates(program)))
    for name, file in sorted(templates.files.items()):
        text = (root / file).read_text(encoding="utf-8", errors="replace")
        templates.names_in[name] = {
            each
            for tag in _TAG.findall(text)
            for each in _fitting(templates.files, _template_parts(tag))
        }
    return templates


def _find_templates(program: Program) -> Iterator[tuple[str, str]]:
    for file in _files(program):
        parts = PurePosixPath(file).parts
        if "templates" in parts[:-1]:
            yield "/".join(parts[parts.index("templates") + 1 :]), file


def _template_parts(tag: str) -> tuple[str | None, ...]:
    quoted = [each[1:-1] for each in _QUOTED.findall(tag)]
    outside = _QUOTED.sub("", tag)
    expression = re.split(r"\b(?:import|as|with|without|ignore|only)\b", outside)[0]
    if "~" in expression or "+" in expression or "%" in expression:
        return tuple(part for each in quoted for part in (None, each, None))
    if quoted:
        return tuple(quoted) if len(quoted) == 1 else ("|".join(quoted),)
    return (None,)


def _fitting(files: Iterable[str], parts: tuple[str | None, ...]) -> list[str]:
    if len(parts) == 1 and parts[0] is not None:
        alternatives = set(parts[0].split("|"))
        return [each for each in files if each in alternatives]
    pattern = re.compile("".join(".*" if part is None else re.escape(part) for part in parts))
    return [each for each in files if pattern.fullmatch(each)]


def templates_named(templates: Templates, texts: Iterable[Text]) -> set[str]:
    """The templates that strings of the code name: in full, without the suffix, or in parts."""
    stems: dict[str, list[str]] = {}
    for name in templates.files:
        stems.setdefault(name.rpartition(".")[0], []).append(name)
    found: set[str] = set()
    for text in texts:
        constant = text.constant
        if constant is not None:
            if constant in templates.files:
                found.add(constant)
            found.update(stems.get(constant, ()))
        elif ("render" in text.call or "template" in text.call) and any(
            part and re.search(r"\w", part) for part in text.parts
        ):
            found.update(_fitting(templates.files, text.parts))
    return found


def needed_templates(
    project: Project, templates: Templates, live: Iterable[Unit], rendered: Iterable[str]
) -> set[str]:
    """The names of the templates that a service needs.

    Those that its code names, with all that they need; and those that nothing in the monolith
    names, since an extension, or a theme chosen at run time, may ask for them.
    """
    own = _texts(project, live)
    everything = _texts(project, (u for m in project.modules.values() for u in m.units))
    entries = project.program.entry_points.values()
    named = templates_named(templates, everything) | {t for e in entries for t in e.templates}
    reachable = templates.closure(named)
    unnamed = set(templates.files) - reachable
    return templates.closure({*templates_named(templates, own), *rendered, *unnamed})


def _texts(project: Project, units: Iterable[Unit]) -> Iterator[Text]:
    for unit in units:
        yield from project.references_of(unit).texts


# Everything else


def needed_data(
    project: Project,
    templates: Templates,
    modules: Iterable[Module],
    live: Iterable[Unit],
    folders: Collection[str] = (),
) -> dict[str, str]:
    """Files that are neither code nor templates: path in the service to file of the monolith.

    Everything beside the code of a kept package, static folders, and what live code names; and
    each empty folder that the project keeps by a placeholder, since code expects to write there.
    Nothing of `folders`, whose files are data.
    """
    program = project.program
    taken = set(templates.files.values()) | set(program.modules.values())
    packages = {str(PurePosixPath(each.file).parent) for each in modules if "/" in each.path}
    named = {text.constant for text in _texts(project, live) if text.constant}
    found: dict[str, str] = {}
    for file in _files(program):
        path = PurePosixPath(file)
        if file in taken or path.suffix == ".py" or any(is_below(file, each) for each in folders):
            continue
        inside = source_path(program, file)
        parents = {str(each) for each in path.parents}
        kept_folder = path.name in _PLACEHOLDERS
        if (
            kept_folder
            or parents & packages
            or "static" in path.parts[:-1]
            or _is_named(inside, named)
        ):
            found[inside] = file
    return found


def configured_files(program: Program, run: Run) -> list[str]:
    """Files that values of `environment` name, and those beside them that they name.

    A path begins where commands are run, or at the application's module: Flask reads
    `from_envvar` below `root_path`.
    """
    root = os.path.abspath(program.root)
    start = program.modules.get(run.application.partition(":")[0], "")
    found: set[str] = set()
    for value in run.environment.values():
        for folder in ("", os.path.dirname(start)):
            path = os.path.normpath(os.path.join(root, folder, value))
            if value and path.startswith(root + os.sep) and os.path.isfile(path):
                text = Path(path).read_bytes()
                found.update(
                    each.path
                    for each in os.scandir(os.path.dirname(path))
                    if each.is_file() and (each.path == path or each.name.encode() in text)
                )
    return sorted(Path(each).relative_to(root).as_posix() for each in found)


def read_beside_code(
    program: Program, templates: Templates, opened: Iterable[str], folders: Collection[str]
) -> list[str]:
    """Of the files that the running monolith read those that lie in no package, and are no data.

    Only a package may name them, as the default of a parameter. What lies in a package goes where
    its code goes.
    """
    packages = {str(PurePosixPath(file).parent) for file in program.modules.values()} - {"."}
    taken = set(templates.files.values()) | set(program.modules.values())
    return [
        file
        for file in opened
        if file not in taken
        and PurePosixPath(file).suffix not in _DATABASES
        and not any(part.startswith(".") for part in PurePosixPath(file).parts)
        and not packages & {str(each) for each in PurePosixPath(file).parents}
        and not any(is_below(file, each) for each in folders)
    ]


def is_below(file: str, folder: str) -> bool:
    """Whether a path lies in a folder."""
    return file.startswith(folder + "/")


def _is_named(path: str, named: set[str]) -> bool:
    parts = PurePosixPath(path).parts
    if all(part in named for part in parts):
        return True
    starts = ("/".join(parts[:length]) for length in range(1, len(parts) + 1))
    return any(each in named for each in starts if "/" in each or "." in each)


def _files(program: Program) -> Iterator[str]:
    """Every file below the source roots that could belong to the application."""
    root = Path(program.root)
    roots = sorted({each.strip("/") for each in program.source_roots} or {""})
    seen: set[str] = set()
    for source_root in roots:
        base = root if source_root in ("", ".") else root / source_root
        for folder, folders, files in os.walk(base):
            folders[:] = sorted(each for each in folders if not _left_out(folder, each))
            for each in sorted(files):
                file = (Path(folder) / each).relative_to(root).as_posix()
                suffix = PurePosixPath(each).suffix
                hidden = each.startswith(".") and each not in _PLACEHOLDERS
                wanted = not hidden and suffix not in _DATABASES
                if wanted and file not in seen and (root / file).is_file():
                    seen.add(file)
                    yield file


def _left_out(parent: str, folder: str) -> bool:
    """Whether nothing of a folder is needed; Alembic's scripts are not: rows are moved, and
    `env.py` tells them from scripts that an application runs itself."""
    return (
        folder.startswith(".")
        or folder in _NEVER
        or folder.endswith(".egg-info")
        or os.path.isfile(os.path.join(parent, folder, "env.py"))
    )

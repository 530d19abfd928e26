"""All files of a project as symbolic facts: found, read over two processes, cached by content."""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from migrator.facts.cache import Cache
from migrator.facts.contents import Contents, digest_of
from migrator.facts.files import python_files
from migrator.facts.ir import FileFacts
from migrator.facts.roots import module_name, source_roots
from migrator.facts.separate import separate_distributions
from migrator.facts.source import Outcome, key_of, outcome_of, read_sources
from migrator.model.errors import ConfigurationError, Place
from migrator.model.private import PRIVATE
from migrator.model.program import Skipped
from migrator.model.progress import Progress
from migrator.model.settings import Settings

PROCESSES = 2
_WORTH_A_PROCESS = 3_000_000
_CHUNK = 400_000
_TASK = "Reading files"
_SEPARATE = "a distribution of its own, which nothing here imports and `install` does not name"


class Digests(NamedTuple):
    """Of the files of a project: they change whenever one of them does, comes or goes."""

    code: str
    beside: str
    """Of the templates, statements and documents that lie beside the code."""


_NONE = Digests("", "")


@dataclass
class ModuleFacts:
    """A module: where it is, what it is called, what is in it."""

    name: str
    file: str
    root: str
    is_package: bool
    facts: FileFacts

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


@dataclass
class ProjectFacts:
    """Every module that takes part in the analysis, by dotted name, and what was left out."""

    root: Path
    source_roots: list[str]
    modules: dict[str, ModuleFacts]
    tests: list[str] = field(default_factory=list)
    """Files of tests, which nothing else imports; they take no part."""
    test_modules: dict[str, ModuleFacts] = field(default_factory=dict)
    """What is in those files, by dotted name."""
    unread: dict[str, str] = field(default_factory=dict)
    """Modules of which nothing is known but that they are there, to their files."""
    skipped: list[Skipped] = field(default_factory=list)
    lines: int = 0
    digests: Digests = _NONE
    files: dict[str, str] = field(default_factory=dict)
    """All files of code, to the digests of what they hold."""


def read_project(root: Path, settings: Settings, progress: Progress) -> ProjectFacts:
    """The facts of every Python file under `root`.

    What cannot be read is in `skipped`, with why. Facts are cached in `.migrator/cache`.
    Raises ConfigurationError where there is no Python file at all.
    """
    skipped: list[Skipped] = []
    contents, digests, beside = _digests(root, settings, skipped)
    if not digests:
        raise ConfigurationError(
            "there is no Python file",
            place=Place(str(root)),
            hint="name the folder of the monolith: migrator analyze FOLDER",
        )
    _make_working_folder(root)
    contents.keep()
    files: dict[str, FileFacts] = {}
    for path, outcome in _outcomes(root, digests, contents, progress):
        if outcome.facts is not None:
            files[path] = outcome.facts
        else:
            skipped.append(Skipped(file=path, reason=outcome.reason, line=outcome.line))
    unread = [path for path in digests if path not in files]
    files = {path: files[path] for path in digests if path in files}
    for folder in sorted(separate_distributions(root, files, settings.run)):
        files = {path: facts for path, facts in files.items() if not path.startswith(f"{folder}/")}
        skipped.append(Skipped(file=folder, reason=_SEPARATE))
    roots = source_roots(files, settings.sources, unread)
    project = _name_modules(root, files, roots, skipped)
    project.unread = {module_name(path, roots)[0]: path for path in unread}
    project.digests = Digests(digest_of_all(digests), digest_of_all(beside))
    project.files = digests
    return project


def read_stubs(project: ProjectFacts, settings: Settings) -> list[ModuleFacts]:
    """What the type stubs beside the code say; a stub is called as the module that it describes.

    One that cannot be read says nothing. They take no part in an analysis: none of it runs.
    """
    modules = (*project.modules.values(), *project.test_modules.values())
    roots = source_roots({}, [module.root for module in modules])
    stubs = []
    for path, entry in python_files(project.root, _left_out(settings), [], (".pyi",)):
        (stored,) = read_sources([_content(Path(entry.path))])
        facts = outcome_of(stored).facts
        if facts is not None:
            name, root = module_name(path.removesuffix("i"), roots)
            package = path.endswith("/__init__.pyi")
            stubs.append(ModuleFacts(name, path, root, package, facts))
    return stubs


API_DOCUMENTS = (".yaml", ".yml", "api.json", "swagger.json")
"""How names of OpenAPI documents end; all other JSON is data, and changes without the program."""
PLANS = ".plan.yaml"
"""How names of our own plans end: they tell of the program, and are no part of it."""
_TEXTS = (".sql", ".html", ".htm", ".txt", ".xml", ".j2", ".jinja", ".jinja2")
_BESIDE = (*_TEXTS, *API_DOCUMENTS)


def digest_of_all(digests: dict[str, str]) -> str:
    """That of a project, from those of its files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(digests):
        digest.update(f"{path}\0{digests[path]}\n".encode())
    return digest.hexdigest()


def digests_of(root: Path, settings: Settings) -> Digests:
    """The digests of a project as it is now, without reading anything as code."""
    contents, code, beside = _digests(root, settings, [])
    contents.keep()
    return Digests(digest_of_all(code), digest_of_all(beside))


class Change(NamedTuple):
    """A file that holds something else than it did: what `source.outcome_of` reads of both."""

    path: str
    before: bytes
    after: bytes


def changes(
    root: Path, settings: Settings, known: dict[str, str], beside: str
) -> tuple[dict[str, str], Iterator[Change]] | None:
    """The digests of all files of code now, and what has changed since they were `known`.

    None where files came or went, where what lies beside them is not what had the digest `beside`,
    or where it is not known any more what a file held.
    """
    contents, digests, others = _digests(root, settings, [])
    if digests.keys() != known.keys() or digest_of_all(others) != beside:
        return None
    changed = [path for path, digest in digests.items() if digest != known[path]]
    cache = Cache(_cache_folder(root))
    stored = cache.get([key_of(known[path]) for path in changed])
    if len(stored) < len({known[path] for path in changed}):
        cache.close()
        return None

    def compared() -> Iterator[Change]:
        for path in changed:
            held = contents.read.get(path) or _content(root / path)
            (after,) = read_sources([held])
            digests[path] = digest_of(held)
            cache.put([(key_of(digests[path]), after)])
            yield Change(path, stored[key_of(known[path])], after)
        cache.close()

    return digests, compared()


def _digests(
    root: Path, settings: Settings, skipped: list[Skipped]
) -> tuple[Contents, dict[str, str], dict[str, str]]:
    """What is known of contents, and the digests of Python files and of what lies beside them."""
    contents = Contents(_cache_folder(root))
    code: dict[str, str] = {}
    beside: dict[str, str] = {}
    noted: list[Skipped] = []
    for path, entry in python_files(root, _left_out(settings), noted, (".py", *_BESIDE)):
        if path.endswith(PLANS):
            continue
        try:
            (code if path.endswith(".py") else beside)[path] = contents.digest(path, entry)
        except OSError as error:
            noted.append(Skipped(file=path, reason=f"not readable: {error.strerror}"))
    skipped += [each for each in noted if not each.file.endswith(_BESIDE)]
    return contents, code, beside


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _left_out(settings: Settings) -> list[str]:
    """What is excluded by name, and the scripts of companions, which are outside systems."""
    patterns = list(settings.exclude)
    for command in (settings.run.companions if settings.run else {}).values():
        words = command.split()
        modules = [b for a, b in pairwise(words) if a == "-m"]
        patterns += ["/" + word.removeprefix("./") for word in words if word.endswith(".py")]
        patterns += ["/" + module.replace(".", "/") + ".py" for module in modules]
    return patterns


def _outcomes(
    root: Path, digests: dict[str, str], contents: Contents, progress: Progress
) -> Iterator[tuple[str, Outcome]]:
    keys = {path: key_of(digest) for path, digest in digests.items()}
    cache = Cache(_cache_folder(root))
    known = cache.get(sorted(set(keys.values())))
    missing: list[str] = []
    progress.start(_TASK, len(keys))
    for path, key in keys.items():
        stored = known.get(key)
        if stored is None:
            missing.append(path)
        else:
            yield path, outcome_of(stored)
    progress.advance(_TASK, len(keys) - len(missing))
    for path in [each for each in missing if each not in contents.read]:
        try:
            keys[path] = key_of(contents.now(path, root / path))
        except OSError as error:
            missing.remove(path)
            yield path, Outcome(None, f"not readable: {error.strerror}")
    for paths, outcomes in _read(missing, contents.read):
        cache.put((keys[path], each) for path, each in zip(paths, outcomes, strict=True))
        for path, each in zip(paths, outcomes, strict=True):
            yield path, outcome_of(each)
        progress.advance(_TASK, len(paths), paths[-1])
    cache.forget_all_but(keys.values(), 4 * len(keys) + 1000)
    cache.close()
    files = "1 file" if len(keys) == 1 else f"{len(keys)} files"
    progress.finish(_TASK, f"{files}, {len(missing)} of them new or changed")


def _cache_folder(root: Path) -> Path:
    return root / PRIVATE / "cache"


def _make_working_folder(root: Path) -> None:
    folder = root / PRIVATE
    try:
        if not folder.exists():
            folder.mkdir()
            (folder / ".gitignore").write_text("*\n")
    except OSError:
        pass  # a tree that cannot be written is analysed without a cache


def _read(paths: list[str], contents: dict[str, bytes]) -> Iterator[tuple[list[str], list[bytes]]]:
    """Read in chunks, over processes where there is enough to read."""
    chunks = list(_chunks(paths, contents))
    if sum(len(contents[path]) for path in paths) < _WORTH_A_PROCESS:
        for chunk in chunks:
            yield chunk, read_sources([contents[path] for path in chunk])
        return
    done = 0
    try:
        with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("fork")) as pool:
            sources = [[contents[path] for path in chunk] for chunk in chunks]
            for chunk, outcomes in zip(chunks, pool.map(read_sources, sources), strict=True):
                yield chunk, outcomes
                done += 1
    except BrokenProcessPool:
        for chunk in chunks[done:]:
            yield chunk, read_sources([contents[path] for path in chunk])


def _chunks(paths: list[str], contents: dict[str, bytes]) -> Iterator[list[str]]:
    chunk: list[str] = []
    size = 0
    for path in paths:
        chunk.append(path)
        size += len(contents[path])
        if size >= _CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _name_modules(
    root: Path, files: dict[str, FileFacts], roots: list[str], skipped: list[Skipped]
) -> ProjectFacts:
    modules: dict[str, ModuleFacts] = {}
    for path, facts in files.items():
        name, source_root = module_name(path, roots)
        is_package = path.endswith("__init__.py") and path != "__init__.py"
        if f"{path[:-3]}/__init__.py" in files:
            name = f"{name}.py"  # the package of its name is imported: it can only be run
        known = modules.get(name)
        if known is not None and not (is_package and not known.is_package):
            skipped.append(Skipped(file=path, reason=f"module {name} is {known.file} already"))
            continue
        if known is not None:
            skipped.append(Skipped(file=known.file, reason=f"module {name} is {path} already"))
        modules[name] = ModuleFacts(name, path, source_root, is_package, facts)
    tests = _tests(modules)
    kept = {name: module for name, module in sorted(modules.items()) if name not in tests}
    return ProjectFacts(
        root=root,
        source_roots=sorted({module.root for module in kept.values()}),
        modules=kept,
        tests=sorted(modules[name].file for name in tests),
        test_modules={name: modules[name] for name in sorted(tests)},
        skipped=sorted(skipped, key=lambda each: each.file),
        lines=sum(module.facts.lines for module in kept.values()),
    )


def _tests(modules: dict[str, ModuleFacts]) -> set[str]:
    """Modules that are named like tests and that no other module needs."""
    tests = {name for name, module in modules.items() if _named_like_test(module.file)}
    if len(tests) == len(modules):
        return set()
    waiting = [name for name in modules if name not in tests] if tests else []
    seen: set[str] = set()
    while waiting:
        for name in _imported(modules[waiting.pop()]):
            while name and name not in seen:
                seen.add(name)
                if name in tests:
                    tests.discard(name)
                    waiting.append(name)
                name = name.rpartition(".")[0]
    return tests


def _named_like_test(file: str) -> bool:
    *folders, base = file.split("/")
    if any(folder in ("tests", "test", "testing_suite") for folder in folders):
        return True
    stem = base[:-3]
    return stem.startswith("test_") or stem.endswith("_test") or stem in ("conftest", "tests")


def _imported(module: ModuleFacts) -> Iterator[str]:
    for each in module.facts.imports:
        base = absolute(module, each.level, each.module)
        if base is not None:
            yield f"{base}.{each.name}" if each.name else base


def absolute(module: ModuleFacts, level: int, name: str) -> str | None:
    """The absolute name of what an import names; None where it leads above the top."""
    if level == 0:
        return name
    parts = module.package.split(".") if module.package else []
    if level > max(len(parts), 1):
        return None
    base = parts[: len(parts) - (level - 1)]
    return ".".join([*base, name] if name else base)

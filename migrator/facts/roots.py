"""Source roots: from which folders the project's modules are imported, and what they are called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from migrator.facts.ir import FileFacts


def source_roots(
    files: Mapping[str, FileFacts], given: list[str], unread: Iterable[str] = ()
) -> list[str]:
    """The source roots, relative to the project ("" is the project itself), longest first.

    A package's root is the folder above its topmost `__init__.py`, or one further up where that
    makes more of the project's own absolute imports resolve (namespace packages). Files outside
    packages belong to the nearest root above them, or else to the project's folder, or to their own
    folder where only that makes the imports between them resolve. An `__init__.py` that could not
    be read (`unread`) still makes a package.
    """
    if given:
        return sorted(
            {each.strip("/").removeprefix("./").rstrip(".") for each in given}, key=_order
        )
    packages = {
        path.rpartition("/")[0] for path in (*files, *unread) if _base(path) == "__init__.py"
    }
    imported = _imported_heads(files.values())
    roots: set[str] = set()
    for folder in sorted(packages):
        if folder and not _belongs_above(folder, imported, packages):
            roots.add(_best_root(folder, imported, packages))
    loose = sorted(path for path in files if not _inside_package(path, packages) and "/" in path)
    by_folder: dict[str, list[str]] = {}
    for path in loose:
        by_folder.setdefault(path.rpartition("/")[0], []).append(path)
    for folder, paths in by_folder.items():
        source = _source_folder(folder, packages)
        if source:
            roots.add(source)
            continue
        names = {_base(path)[:-3] for path in paths}
        plain = sum(imported[name] for name in names)
        dotted = imported[folder.replace("/", ".")] + imported[folder.partition("/")[0]]
        if plain > dotted:
            roots.add(folder)
    if not roots or any("/" not in path for path in files) or _uncovered(files, roots):
        roots.add("")
    return sorted(roots, key=_order)


def module_name(path: str, roots: list[str]) -> tuple[str, str]:
    """The dotted name of a file's module and the root that it belongs to; roots longest first."""
    for root in roots:
        prefix = f"{root}/" if root else ""
        if path.startswith(prefix):
            parts = path[len(prefix) : -3].split("/")
            if parts[-1] == "__init__" and len(parts) > 1:
                parts.pop()
            return ".".join(parts), root
    return path[:-3].replace("/", "."), ""


def _order(root: str) -> tuple[int, str]:
    return (-len(root.split("/")) if root else 1, root)


def _base(path: str) -> str:
    return path.rpartition("/")[2]


def _inside_package(path: str, packages: set[str]) -> bool:
    return path.rpartition("/")[0] in packages


def _belongs_above(folder: str, imported: Counter[str], packages: set[str]) -> bool:
    """Whether a package is part of one further up, with plain folders between them perhaps.

    Over such a folder, which is a namespace package then, a package of its own begins only where
    imports speak of it by its own name (bundled libraries).
    """
    parts = folder.split("/")
    tops = [end for end in range(1, len(parts)) if "/".join(parts[:end]) in packages]
    if not tops or tops[-1] == len(parts) - 1:
        return bool(tops)
    return imported[parts[-1]] <= imported[".".join(parts[tops[0] - 1 :])]


def _uncovered(files: Iterable[str], roots: set[str]) -> bool:
    return any(not any(path.startswith(f"{root}/") for root in roots if root) for path in files)


def _imported_heads(files: Iterable[FileFacts]) -> Counter[str]:
    """How often each dotted prefix is imported absolutely."""
    heads: Counter[str] = Counter()
    imports = (each for facts in files for each in facts.imports)
    for module, count in Counter(each.module for each in imports if each.level == 0).items():
        parts = module.split(".")
        for end in range(1, min(len(parts), 6) + 1):
            heads[".".join(parts[:end])] += count
    return heads


def _source_folder(folder: str, packages: set[str]) -> str:
    """The folder `src` that it is or lies in, unless that is itself a package; else nothing."""
    parts = folder.split("/")
    source = "/".join(parts[: parts.index("src") + 1]) if "src" in parts else ""
    return "" if source in packages else source


def _best_root(package: str, imported: Counter[str], packages: set[str]) -> str:
    """Of the folders above a topmost package, the one that imports speak of; else the nearest."""
    parts = package.split("/")
    source = _source_folder(package, packages)
    if source:
        return source
    best, most = len(parts) - 1, imported[parts[-1]]
    for start in range(len(parts) - 2, -1, -1):
        count = imported[".".join(parts[start:])]
        if count > most:
            best, most = start, count
    return "/".join(parts[:best])

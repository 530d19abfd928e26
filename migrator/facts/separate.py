"""Distributions that lie in the project's folder and take no part in the application.

An example of a plug-in, say: it has a `setup.py` of its own, nothing else imports it, and it is not
installed with the application. What it would register is not there when the application runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from migrator.facts.ir import FileFacts
from migrator.model.settings import Run

_PROJECT = re.compile(r"^\[(project|tool\.poetry|build-system)\]", re.MULTILINE)


def separate_distributions(root: Path, files: Mapping[str, FileFacts], run: Run | None) -> set[str]:
    """The folders of such distributions, relative to the project.

    Without settings that say which application is run, and what is installed, nothing is known.
    """
    if run is None or not run.application:
        return set()
    folders = {path.rpartition("/")[0] for path in files}
    folders |= {parent for folder in folders for parent in _parents(folder)}
    found: set[str] = set()
    for folder in sorted(folders - {""}):
        if any(folder.startswith(f"{each}/") for each in found):
            continue
        if (
            _is_distribution(root / folder)
            and not _holds(folder, run.application, files)
            and not any(folder in line for line in run.install)
            and not _imported(folder, files)
        ):
            found.add(folder)
    return found


def _parents(folder: str) -> list[str]:
    parts = folder.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _is_distribution(folder: Path) -> bool:
    if (folder / "setup.py").is_file() or (folder / "setup.cfg").is_file():
        return True
    try:
        return _PROJECT.search((folder / "pyproject.toml").read_text(errors="replace")) is not None
    except OSError:
        return False


def _holds(folder: str, application: str, files: Mapping[str, FileFacts]) -> bool:
    module = application.partition(":")[0].replace(".", "/")
    return any(
        path.startswith(f"{folder}/") and path.endswith((f"/{module}.py", f"/{module}/__init__.py"))
        for path in files
    )


def _imported(folder: str, files: Mapping[str, FileFacts]) -> bool:
    """Whether code outside of a folder imports what stands at its top, or the folder itself."""
    inside = [path[len(folder) + 1 :] for path in files if path.startswith(f"{folder}/")]
    names = {path.removeprefix("src/").partition("/")[0].removesuffix(".py") for path in inside}
    names |= {folder.replace("/", "."), folder.rpartition("/")[2]}
    names -= {"setup", "tests", "test", "docs"}
    return any(
        each.module == name or each.module.startswith(f"{name}.")
        for path, facts in files.items()
        if not path.startswith(f"{folder}/")
        for each in facts.imports
        for name in names
    )

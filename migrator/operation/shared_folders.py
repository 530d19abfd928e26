"""The folders of files of a generated system: one place for all services that share one.

They lie beside the services' own data, each at its path in the monolith (`{data}/...` as it is
written), and servicekit links to them from where the code looks for them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from migrator.model.manifest import ServiceManifest
from migrator.operation.start_state import StartState
from migrator.operation.tree import files_of, is_state, keep, lay_over

NAME = "_folders"
"""No service can have this name."""

_DATA = "{data}/"


def fill(
    folder: Path, start: StartState, monolith: Path, manifests: Iterable[ServiceManifest]
) -> None:
    """Give every folder of the plan what the monolith starts with in it."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in sorted({path for manifest in manifests for path in manifest.folders}):
        target = folder / path
        target.mkdir(parents=True, exist_ok=True)
        if path.startswith(_DATA):
            lay_over(start.data / path.removeprefix(_DATA), target)
        else:
            lay_over(monolith / path, target)
            lay_over(start.project / path, target)
    for path in start.removed:
        (folder / path).unlink(missing_ok=True)


def join(folder: Path, start: StartState, monolith: Path, paths: Iterable[str]) -> None:
    """Put what is in the folders of these paths now into a monolith's files.

    What the monolith's sources have there, and services have taken away, is away there too.
    """
    lay_over(folder / "{data}", start.data)
    files = [path for path in files_of(folder) if not path.startswith(_DATA)]
    keep(files, folder, start.project)
    shipped = {f"{each}/{file}" for each in paths for file in files_of(monolith / each)}
    start.remove([path for path in sorted(shipped.difference(files)) if is_state(path)])


def unowned(start: StartState, manifests: Iterable[ServiceManifest]) -> list[str]:
    """Files that migrate and seed wrote below the sources, in folders that no service owns."""
    owned = {path for manifest in manifests for path in manifest.folders}
    return sorted(
        file
        for file in files_of(start.project)
        if not any(file.startswith(f"{path}/") for path in owned)
    )


def give_copies(
    files: Iterable[str], start: StartState, roots: Iterable[str], source: Path
) -> None:
    """Copy files of the start state into a service's `src`, below which its source roots are."""
    for file in files:
        root = next((each for each in roots if file.startswith(f"{each}/")), "")
        path = file[len(root) + 1 :] if root else file
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(start.project / file, source / path)

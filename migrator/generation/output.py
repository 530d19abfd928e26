"""Writing into the output folder so that nothing of anybody is ever lost.

Everything is written beside the output first and moved into place at the end. What we generated is
remembered with its digest (`.migrator/generated.json`) and its text (`.migrator/base/`): a file
that people changed is told from one that they did not, and can be merged three ways later.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import msgspec

from migrator.model.errors import ConfigurationError, Place, Refusals, Refused

PRIVATE = ".migrator"
RECORD = f"{PRIVATE}/generated.json"
BASE = f"{PRIVATE}/base"


class Record(msgspec.Struct, kw_only=True):
    """What was generated last."""

    files: dict[str, str] = {}
    """Path below the output to SHA-256 of its content."""


def digest(content: bytes) -> str:
    """The digest under which a file is remembered."""
    return hashlib.sha256(content).hexdigest()


def read_record(output: Path) -> Record:
    """What was generated into `output` last; empty for a folder that is absent or empty.

    Raises ConfigurationError for a file, and for a folder that holds something of somebody else.
    """
    if output.is_dir() and (output / "system.json").is_file() and (output / RECORD).is_file():
        return msgspec.json.decode((output / RECORD).read_bytes(), type=Record)
    if output.exists() and not output.is_dir():
        raise ConfigurationError(
            f"{output} is a file", hint="name a folder with -o that is empty or does not exist"
        )
    if output.is_dir() and any(output.iterdir()):
        raise ConfigurationError(
            f"{output} is not empty, and nothing that we generated",
            hint="name a folder with -o that is empty or does not exist; nothing was changed",
        )
    return Record()


def write_output(
    output: Path, files: Mapping[str, bytes], times: Mapping[str, float] | None = None
) -> None:
    """Make `output` hold `files`, all of them or none.

    Files that we generated before and that are gone from `files` go, too; what people added stays.
    `times` are the files' times of change, in seconds of the epoch, where they matter.
    Raises ConfigurationError as `read_record`, and Refusals that name every file that people
    changed: then nothing is written.
    """
    record = read_record(output)
    changed = _changed(output, record, files)
    if changed:
        raise Refusals(
            [
                Refused(
                    f"{path} was changed since it was generated",
                    place=Place(str(output / path)),
                    hint=f"move the change aside, or generate into another folder than {output}",
                )
                for path in changed
            ]
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        # mkdtemp closes its folder to others; the output is an ordinary one.
        staged.chmod(0o755)
        for path, content in files.items():
            for target in (staged / path, staged / BASE / path):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            if times and path in times:
                os.utime(staged / path, (times[path], times[path]))
        (staged / PRIVATE / ".gitignore").write_text(
            "*\n!.gitignore\n!generated.json\n!base\n!base/**\n"
        )
        now = Record(files={path: digest(content) for path, content in sorted(files.items())})
        (staged / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(now), indent=1))
        if record.files:
            _move_into(staged, output, record, files)
        else:
            if output.exists():
                output.rmdir()
            staged.rename(output)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _changed(output: Path, record: Record, files: Mapping[str, bytes]) -> list[str]:
    """Files that hold neither what we wrote nor what we are about to write."""
    changed = []
    for path in sorted({*record.files, *files}):
        present = output / path
        if not present.is_file():
            continue
        found = present.read_bytes()
        if digest(found) != record.files.get(path) and found != files.get(path):
            changed.append(path)
    return changed


def _move_into(staged: Path, output: Path, record: Record, files: Mapping[str, bytes]) -> None:
    """Replace file by file; the record comes last, so that a crash in between is mended by the
    next run (a file that is new already counts as unchanged)."""
    for path in files:
        for name in (path, f"{BASE}/{path}"):
            target = output / name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged / name, target)
    for path in record.files.keys() - files.keys():
        for name in (path, f"{BASE}/{path}"):
            gone = output / name
            gone.unlink(missing_ok=True)
            _remove_empty(gone.parent, output)
    os.replace(staged / PRIVATE / ".gitignore", output / PRIVATE / ".gitignore")
    os.replace(staged / RECORD, output / RECORD)


def _remove_empty(folder: Path, above: Path) -> None:
    while folder != above and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent

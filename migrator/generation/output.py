"""Writing into the output folder so that nothing of anybody is ever lost.

Everything is written beside the output first and moved into place at the end. What we generated is
remembered with its digest (`.migrator/generated.json`) and its text (`.migrator/base/`): the base
of a three-way merge of what people changed since and what we would write now.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from migrator.generation.merging import has_marks, merge
from migrator.model.errors import ConfigurationError, Place
from migrator.model.private import PRIVATE

RECORD = f"{PRIVATE}/generated.json"
BASE = f"{PRIVATE}/base"


class Record(msgspec.Struct, kw_only=True):
    """What was generated last."""

    files: dict[str, str] = {}
    """Path below the output to SHA-256 of its content."""


class Conflict(msgspec.Struct, kw_only=True):
    """A file about which people have to decide."""

    path: str
    why: str


class Written(msgspec.Struct, kw_only=True):
    """What was done to the output; paths below it, sorted."""

    new: list[str] = []
    changed: list[str] = []
    """As generation has it now: nobody had changed them."""
    removed: list[str] = []
    """No longer generated, and nobody had changed them."""
    merged: list[str] = []
    """What people changed and what generation changes now, in one text."""
    kept: list[str] = []
    """Changed or removed by people, and generated as before: left so."""
    conflicts: list[Conflict] = []
    first: bool = False
    """Nothing had been generated there."""

    @property
    def nothing(self) -> bool:
        """Whether the output is as it was, and nobody has to decide anything."""
        return not (
            self.new or self.changed or self.removed or self.merged or self.conflicts or self.first
        )


class _Outcome(NamedTuple):
    """What becomes of one file; `content` None: it goes, or is not there."""

    how: Literal["same", "new", "changed", "removed", "merged", "kept"]
    content: bytes | None
    conflict: str = ""


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


def require_resolved(output: Path) -> None:
    """Raise ConfigurationError where conflict marks of a merge stand in what was generated."""
    marked = []
    for path in sorted(read_record(output).files) if (output / RECORD).is_file() else ():
        file = output / path
        if file.is_file() and has_marks(file.read_bytes()):
            marked.append(path)
    if marked:
        more = f", and in {len(marked) - 1} more" if len(marked) > 1 else ""
        raise ConfigurationError(
            f"conflict marks stand in it{more}",
            place=Place(str(output / marked[0])),
            hint="decide between yours and what was generated, and take the marks out",
        )


def write_output(
    output: Path, files: Mapping[str, bytes], times: Mapping[str, float] | None = None
) -> Written:
    """Make `output` hold `files`, all of them or none, together with what people changed there.

    A file that we generated before and people changed is merged; what cannot be is marked in it as
    git does, and is a conflict. Files that we generated before and that are gone from `files` go,
    too, unless people changed them; what people added stays. When nothing is different, nothing is
    touched. `times` are the files' times of change, in seconds of the epoch, where they matter.
    Raises ConfigurationError as `read_record`.
    """
    record = read_record(output)
    outcomes = {
        path: _outcome(
            _content(output / BASE / path) if path in record.files else None,
            _content(output / path),
            files.get(path),
        )
        for path in sorted({*record.files, *files})
    }
    written = _summary(outcomes, first=not record.files)
    now = Record(files={path: digest(content) for path, content in sorted(files.items())})
    if record.files and now == record and all(o.how in ("same", "kept") for o in outcomes.values()):
        return written
    output.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
    try:
        # mkdtemp closes its folder to others; the output is an ordinary one.
        staged.chmod(0o755)
        _stage(staged, output, files, outcomes, times or {})
        (staged / RECORD).write_bytes(msgspec.json.format(msgspec.json.encode(now), indent=1))
        if record.files:
            _move_into(staged, output, record, files, outcomes)
        else:
            if output.exists():
                output.rmdir()
            staged.rename(output)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return written


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _outcome(base: bytes | None, yours: bytes | None, generated: bytes | None) -> _Outcome:
    """Decide on one file: as generated last, as it is, and as it is generated now (None: not)."""
    if generated is None:
        if yours is None or yours == base:
            return _Outcome("same" if yours is None else "removed", None)
        return _Outcome("kept", yours, "you changed it, and it is not generated any more: kept")
    if yours is None:
        if base is None:
            return _Outcome("new", generated)
        if base == generated:
            return _Outcome("kept", None)
        return _Outcome(
            "new", generated, "you removed it, and it is generated otherwise now: it is there again"
        )
    if yours == generated:
        return _Outcome("same", yours)
    if yours == base:
        return _Outcome("changed", generated)
    if base == generated:
        marks = "conflict marks of an earlier merge stand in it" if has_marks(yours) else ""
        return _Outcome("kept", yours, marks)
    return _merged(base or b"", yours, generated)


def _merged(base: bytes, yours: bytes, generated: bytes) -> _Outcome:
    if has_marks(yours):
        why = "conflict marks stand in it, so that it was not merged: what is generated now is in"
        return _Outcome("kept", yours, f"{why} {BASE}")
    found = merge(base, yours, generated)
    if found is None:
        why = "it is no text, you changed it and it is generated otherwise now: yours was kept, the"
        return _Outcome("kept", yours, f"{why} other is in {BASE}")
    if not found.conflicts:
        return _Outcome("merged", found.text)
    places = "one place" if found.conflicts == 1 else f"{found.conflicts} places"
    return _Outcome("merged", found.text, f"both changed {places}: marked in it")


def _summary(outcomes: Mapping[str, _Outcome], *, first: bool) -> Written:
    def paths(how: str) -> list[str]:
        return [path for path, o in outcomes.items() if o.how == how and not o.conflict]

    return Written(
        new=paths("new"),
        changed=paths("changed"),
        removed=paths("removed"),
        merged=paths("merged"),
        kept=paths("kept"),
        conflicts=[Conflict(path=p, why=o.conflict) for p, o in outcomes.items() if o.conflict],
        first=first,
    )


def _stage(
    staged: Path,
    output: Path,
    files: Mapping[str, bytes],
    outcomes: Mapping[str, _Outcome],
    times: Mapping[str, float],
) -> None:
    """Write what is to be moved: files that change, and the whole base."""
    for path, content in files.items():
        _write(staged / BASE / path, content)
        outcome = outcomes[path]
        if outcome.how in ("same", "kept") or outcome.content is None:
            continue
        _write(staged / path, outcome.content)
        if (output / path).is_file():
            shutil.copymode(output / path, staged / path)
        if path in times and outcome.content == content:
            os.utime(staged / path, (times[path], times[path]))
    (staged / PRIVATE / ".gitignore").write_text(
        "*\n!.gitignore\n!generated.json\n!base\n!base/**\n"
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _move_into(
    staged: Path,
    output: Path,
    record: Record,
    files: Mapping[str, bytes],
    outcomes: Mapping[str, _Outcome],
) -> None:
    """Replace file by file, each with its base; the record comes last.

    After a crash in between the next run has the same merge before it: a file that is new already
    is the same, and one that is merged already merges into itself.
    """
    for path in files:
        for name in (path, f"{BASE}/{path}"):
            if (staged / name).is_file():
                (output / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(staged / name, output / name)
    for path in record.files.keys() - files.keys():
        gone = [f"{BASE}/{path}", *([path] if outcomes[path].how == "removed" else [])]
        for name in gone:
            (output / name).unlink(missing_ok=True)
            _remove_empty((output / name).parent, output)
    os.replace(staged / PRIVATE / ".gitignore", output / PRIVATE / ".gitignore")
    os.replace(staged / RECORD, output / RECORD)


def _remove_empty(folder: Path, above: Path) -> None:
    while folder != above and folder.is_dir():
        # What Python made of sources that are gone is nobody's.
        left = {path.name for path in folder.iterdir()}
        if left == {"__pycache__"}:
            shutil.rmtree(folder / "__pycache__")
        elif left:
            return
        folder.rmdir()
        folder = folder.parent

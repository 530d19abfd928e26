"""Pages of the docs show what their commands print; run this file to write them anew."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import shutil
import tempfile
from pathlib import Path

import pytest

from migrator.cli.main import main

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "monolith_app"
PAGES = (ROOT / "docs" / "architects-desk.md", EXAMPLE / "README.md")

_BLOCK = re.compile(r"^```(console|diff)(?: (\S+))?\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def played(page: str, root: Path) -> str:
    """The page with what its commands print now; its edits are made on the way."""

    def play(block: re.Match[str]) -> str:
        kind, file, content = block.groups()
        if kind == "diff":
            target = root / file
            target.write_text(edited(target.read_text(), content))
            return block.group()
        commands = [line for line in content.splitlines() if line.startswith("$ ")]
        return "```console\n" + "".join(printed(each, root) for each in commands) + "```\n"

    return _BLOCK.sub(play, page)


def edited(text: str, diff: str) -> str:
    """A text after the hunks of a diff, each of which must stand in it once."""
    for hunk in re.split(r"^@@\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        assert text.count(before) == 1, f"{text.count(before)} places for:\n{before}"
        text = text.replace(before, after)
    return text


def printed(line: str, root: Path) -> str:
    """A command and what it prints on both streams, without progress and the folder's name."""
    command, _, head = line.removeprefix("$ ").partition(" | head -")
    out = io.StringIO()
    code = 0
    before = Path.cwd()
    os.chdir(root)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            main(shlex.split(command)[1:])
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    finally:
        os.chdir(before)
    text = out.getvalue().replace(f"{root}/", "")
    shown = [each.rstrip() for each in text.splitlines() if not each.startswith("✓ ")]
    while shown and not shown[-1]:
        shown.pop()
    if head:
        shown = [*shown[: int(head)], *(["..."] if len(shown) > int(head) else [])]
    if code:
        shown.append(f"(exit code {code})")
    return "\n".join([line, *shown]) + "\n"


def copied_example(folder: Path) -> Path:
    """The example in a folder of its own, as it is delivered."""
    root = folder / "monolith_app"
    ignored = shutil.ignore_patterns(".migrator", "__pycache__", "migrator.plan.yaml", "instance")
    shutil.copytree(EXAMPLE, root, ignore=ignored)
    return root


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_shows_what_its_commands_print(path: Path, tmp_path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    now = played(page, copied_example(tmp_path))
    assert now == page, "run: python tests/cli/test_architects_desk.py"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_it_fits_a_document(path: Path) -> None:
    for block in _BLOCK.finditer(path.read_text(encoding="utf-8")):
        tables = [line for line in block.group().splitlines() if re.search(r"\S {3,}\S", line)]
        assert all(len(line) <= 100 for line in tables)


if __name__ == "__main__":
    for each in PAGES:
        with tempfile.TemporaryDirectory() as scratch:
            now = played(each.read_text(encoding="utf-8"), copied_example(Path(scratch)))
            each.write_text(now, encoding="utf-8")

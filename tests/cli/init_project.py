"""Projects that `migrator init` looks at, and what it guesses of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrator.cli.main import main


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def project(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def guesses(root: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    run("init", root, "--print", "--json")
    output = capsys.readouterr().out
    return json.loads(output)

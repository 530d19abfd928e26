"""A project whose commands run under observation, and what its records say."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from migrator.facts.observation.records import EntryRecord, Observation, read_session
from migrator.facts.observation.session import new_session, observed_environment

PYTHON = os.environ.get("OBSERVED_PYTHON", sys.executable)
"""An interpreter with Flask, click and SQLAlchemy; the probe must work on any from 3.8 on."""


class Observed:
    """A project whose commands are run under observation."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.session = new_session(root)
        self.environment = observed_environment(
            root, self.session, {**os.environ, "MIGRATOR_OBSERVE_DEBUG": "1"}
        )

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [PYTHON, *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PYTHON, *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> Observation:
        return read_session(self.session, self.root)


def ways(entry: EntryRecord) -> set[tuple[str, tuple[str, ...], bool]]:
    """Statements with the functions on their stack, and whether below the handler."""
    return {
        (each.statement, tuple(code.qualname for code in each.path), each.handled)
        for each in entry.executions
    }


def calls(entry: EntryRecord) -> dict[tuple[str, str], int]:
    return {(each.caller.qualname, each.callee.qualname): n for each, n in entry.calls.items()}

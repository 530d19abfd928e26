"""The commands that the roadmap names are run as they stand, in its order: none of them is wrong.

`verify`, the check of a step that generates, is only parsed here; test_road and test_taking_out
run it on the same services.
"""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from migrator.cli.main import program
from migrator.model.plan import Step
from migrator.operation.ports import free_port
from migrator.plan.store import load

LENDING = Path(__file__).parent.parent / "assets" / "lending"
QUOTED = re.compile("`(migrator [^`]+)`")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("roadmap") / "app"
    shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    run(root, "migrator propose . --services 3")
    return root


@pytest.fixture(scope="module")
def steps(app: Path) -> list[Step]:
    return load(app / "migrator.plan.yaml").roadmap


def run(root: Path, line: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, line + done.stdout + done.stderr


@contextmanager
def up(root: Path, line: str) -> Iterator[None]:
    """What a line starts, until it answers requests."""
    log = root.parent / "up.log"
    with log.open("w") as file:
        running = subprocess.Popen(
            [sys.executable, "-m", *shlex.split(line), "--port", str(free_port())],
            cwd=root,
            stdout=file,
            stderr=file,
        )
    control = root / shlex.split(line)[-1] / ".migrator" / "control.json"
    try:
        end = time.monotonic() + 120
        while not control.is_file():
            assert running.poll() is None and time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


def lines_of(step: Step) -> list[str]:
    """Every command of migrator that a step names, wherever it stands."""
    said = [*step.commands, step.check, step.back]
    return [
        found
        for text in said
        for found in ([text] if text.startswith("migrator ") else QUOTED.findall(text))
    ]


def test_every_command_is_one_that_there_is(steps: list[Step]) -> None:
    lines = [line for step in steps for line in lines_of(step)]
    assert len(lines) > 20
    for line in lines:
        verb, *arguments = shlex.split(line)[1:]
        command = program.get_command(click.Context(program), verb)
        assert command is not None, line
        command.make_context(verb, arguments)


def test_the_steps_run_there_and_back(app: Path, steps: list[Step]) -> None:
    own, ban, gateway, first = steps[:4]
    for step in (own, ban):
        run(app, step.check)
    generate, start = gateway.commands
    run(app, generate)
    with up(app, start):
        pass
    generate, move, start, route = first.commands
    run(app, generate)
    run(app, move)
    with up(app, start):
        run(app, route)
    back, start = QUOTED.findall(first.back)
    run(app, back)
    with up(app, start):
        pass

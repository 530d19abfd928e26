from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from migrator.operation import ports
from migrator.operation.process import group_members

IGNORING = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
from migrator.cli.main import main
main()
"""


def start(output: Path, port: int) -> tuple[subprocess.Popen[str], dict]:
    """As a shell's `&` does: with SIGINT ignored."""
    up = subprocess.Popen(
        [
            *(sys.executable, "-c", IGNORING),
            *("up", str(output), "--port", str(port), "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    while not lines or lines[-1] != "}\n":
        lines.append(up.stdout.readline())
        if not lines[-1]:
            pytest.fail(up.stderr.read())
    return up, json.loads("".join(lines))


def groups(output: Path) -> list[int]:
    state = json.loads((output / ".migrator/processes.json").read_text())
    return [each["pid"] for each in state["processes"]]


def test_up_after_a_crash_and_until_interrupted(notes_services: Path) -> None:
    port = ports.free_port()
    up, _ = start(notes_services, port)
    crashed = groups(notes_services)
    up.kill()
    up.communicate()

    up, told = start(notes_services, port)
    assert not [group for group in crashed if group_members(group)]
    assert told["url"] == f"http://127.0.0.1:{port}"
    assert requests.get(f"{told['url']}/notes", timeout=5).status_code == 200
    assert Path(told["services"]["notes"]["logs"], "web-1.log").is_file()
    running = groups(notes_services)
    assert len(running) == 8  # feed, calls and web twice, one clerk, the gateway
    up.send_signal(signal.SIGINT)
    _, said = up.communicate(timeout=30)
    assert up.returncode == 0, said
    assert "nothing is left running" in said
    assert not [group for group in running if group_members(group)]
    assert ports.is_free(port)

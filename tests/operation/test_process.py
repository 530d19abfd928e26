from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from migrator.model.errors import OperationError
from migrator.operation import ports
from migrator.operation.process import Processes, group_members
from migrator.operation.readiness import accepts, answers, wait_until

VARIABLES = {"PATH": os.environ["PATH"]}


@pytest.fixture
def processes(tmp_path: Path):
    with Processes(tmp_path / "processes.json", grace=2) as started:
        yield started


def start(processes: Processes, command: str, folder: Path, port: int = 0):
    return processes.start(
        "thing",
        command,
        environment=VARIABLES,
        folder=folder,
        log=folder / "thing.log",
        port=port,
    )


def until(condition, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def test_stopping_ends_the_whole_group_and_frees_the_port(processes, tmp_path: Path) -> None:
    port = ports.free_port()
    server = f"{sys.executable} -m http.server --bind 127.0.0.1 {port}"
    thing = start(processes, f"sleep 60 & exec {server}", tmp_path, port)
    wait_until(thing, lambda: answers(port, "/"), 10)
    assert len(group_members(thing.pid)) == 2
    processes.stop(thing)
    assert group_members(thing.pid) == []
    assert ports.is_free(port)


def test_what_is_still_at_work_is_given_more_time(processes, tmp_path: Path) -> None:
    work = "import time\nwhile time.process_time() < 1: pass\nopen('ready', 'w')"
    thing = start(processes, f'{sys.executable} -c "{work}"; sleep 60', tmp_path)
    wait_until(thing, lambda: "" if (tmp_path / "ready").exists() else "no file", 0.3)


def test_what_ignores_term_is_killed(processes, tmp_path: Path) -> None:
    thing = start(processes, "trap '' TERM; echo up; while :; do sleep 1; done", tmp_path)
    assert until(lambda: "up" in thing.log_tail())
    processes.stop(thing, grace=0.3)
    assert thing.exit_code == -signal.SIGKILL


def test_an_early_end_shows_the_log(processes, tmp_path: Path) -> None:
    thing = start(processes, "echo one; echo the reason >&2; exit 3", tmp_path)
    with pytest.raises(OperationError, match="ended with code 3") as caught:
        wait_until(thing, lambda: accepts(1), 5)
    assert caught.value.log_tail.endswith("the reason")
    with pytest.raises(OperationError, match="thing ended with code 3"):
        processes.check()


def test_waiting_has_an_end(processes, tmp_path: Path) -> None:
    thing = start(processes, "sleep 60", tmp_path)
    with pytest.raises(OperationError, match="not ready within 0 seconds: no answer"):
        wait_until(thing, lambda: "no answer", 0.1)


def test_a_port_in_use_names_its_user(processes, tmp_path: Path) -> None:
    port = ports.free_port()
    thing = start(
        processes, f"exec {sys.executable} -m http.server --bind 127.0.0.1 {port}", tmp_path
    )
    wait_until(thing, lambda: answers(port, "/"), 10)
    with pytest.raises(OperationError, match=rf"port {port} is in use by python.*{thing.pid}"):
        start(processes, "sleep 1", tmp_path, port)


def test_commands_run_to_their_end(processes, tmp_path: Path) -> None:
    def run(command: str, seconds: float) -> int:
        return processes.run(
            "work",
            command,
            environment=VARIABLES,
            folder=tmp_path,
            log=tmp_path / "work.log",
            seconds=seconds,
        )

    assert run("sleep 60 & exit 4", 10) == 4
    with pytest.raises(OperationError, match="work did not end within 0 seconds"):
        run("echo slow; sleep 60", 0.2)
    assert (tmp_path / "work.log").read_text() == "slow\n"
    assert not [p for p in psutil.Process().children(recursive=True) if "sleep" in p.name()]


CRASHES = """
import sys, time
from pathlib import Path
from migrator.operation.process import Processes

folder = Path(sys.argv[1])
processes = Processes(folder / "processes.json").__enter__()
thing = processes.start("thing", "trap '' TERM; sleep 60 & sleep 60; wait", environment={},
                        folder=folder, log=folder / "log")
print(thing.pid, processes._guard.pid, flush=True)
time.sleep(60)
"""


def crash(folder: Path, *, kill_guard: bool) -> int:
    migrator = subprocess.Popen(
        [sys.executable, "-c", CRASHES, str(folder)], stdout=subprocess.PIPE, text=True
    )
    group, guard = map(int, migrator.stdout.readline().split())
    assert until(lambda: len(group_members(group)) >= 2)
    if kill_guard:
        os.kill(guard, signal.SIGKILL)
    migrator.kill()
    migrator.wait()
    migrator.stdout.close()
    return group


def test_nothing_outlives_a_killed_migrator(tmp_path: Path) -> None:
    group = crash(tmp_path, kill_guard=False)
    assert until(lambda: not group_members(group), 6)


def test_the_next_run_ends_what_a_crash_left(tmp_path: Path) -> None:
    group = crash(tmp_path, kill_guard=True)
    assert group_members(group)
    with Processes(tmp_path / "processes.json"):
        assert not group_members(group)


def test_leftovers_of_others_are_left_alone(tmp_path: Path) -> None:
    foreign = subprocess.Popen(["sleep", "60"], start_new_session=True)
    left = {"token": "t", "pid": 1, "processes": [{"name": "x", "pid": foreign.pid, "created": 1}]}
    (tmp_path / "processes.json").write_text(json.dumps(left))
    try:
        with Processes(tmp_path / "processes.json"):
            assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_one_run_at_a_time(tmp_path: Path, processes) -> None:
    with pytest.raises(OperationError, match=rf"another run of migrator \(process {os.getpid()}\)"):
        Processes(tmp_path / "processes.json").__enter__()

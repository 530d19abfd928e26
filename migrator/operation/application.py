"""What a command of the monolith runs with: placeholders filled, variables, search path."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from migrator.model.settings import Run
from migrator.operation.environment import Environment
from migrator.operation.ports import free_port

HASH_SEED = "0"
"""`PYTHONHASHSEED` of every process: the order of sets must not differ between two runs."""

_PLACEHOLDER = re.compile(r"\{(data|base_url|port(?::([A-Za-z0-9_.-]+))?)\}")

_INHERITED = re.compile(
    r"HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|TERM|LD_LIBRARY_PATH"
    r"|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE"
)
"""All that a process gets of the caller's own variables: the rest is in `[tool.migrator.run]`."""


class Placeholders:
    """`{data}`, `{port}`, `{port:NAME}` and `{base_url}`; a name always gets the same port.

    Other text in braces stays as it is.
    """

    def __init__(
        self,
        *,
        data: Path,
        base_url: str,
        port: int = 0,
        ports: dict[str, int] | None = None,
        take: Callable[[], int] = free_port,
    ) -> None:
        self.data = data
        self.base_url = base_url
        self.port = port
        self.ports = {} if ports is None else ports
        self._take = take

    def fill(self, text: str) -> str:
        """The text with every placeholder filled."""
        return _PLACEHOLDER.sub(self._value, text)

    def fill_all(self, values: Mapping[str, str]) -> dict[str, str]:
        """The values filled, under the same keys."""
        return {name: self.fill(value) for name, value in values.items()}

    def _value(self, found: re.Match[str]) -> str:
        whole, name = found.group(1), found.group(2)
        if whole == "data":
            return str(self.data)
        if whole == "base_url":
            return self.base_url
        if name is None:
            return str(self.port)
        if name not in self.ports:
            self.ports[name] = self._take()
        return str(self.ports[name])


def sqlite_url(database: Path) -> str:
    """SQLAlchemy's URL of an SQLite file."""
    return f"sqlite:///{database.absolute()}"


def base_variables(environment: Environment) -> dict[str, str]:
    """Variables of every process that runs in an environment."""
    inherited = {name: value for name, value in os.environ.items() if _INHERITED.fullmatch(name)}
    return {
        **inherited,
        "PATH": f"{environment.bin.absolute()}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "VIRTUAL_ENV": str(environment.folder.absolute()),
        "PYTHONHASHSEED": HASH_SEED,
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def monolith_variables(
    root: Path, run: Run, environment: Environment, database: Path, placeholders: Placeholders
) -> dict[str, str]:
    """Variables of every process of the monolith, its commands and its tests."""
    return {
        **base_variables(environment),
        "PYTHONPATH": os.pathsep.join(map(str, search_path(root, run))),
        # The monolith's own tree is never written to.
        "PYTEST_ADDOPTS": "-p no:cacheprovider",
        **placeholders.fill_all(run.environment),
        "FIXED_DATABASE": run.fixed_database,
        "CACHE_FOLDER": str(database.absolute().parent / "cache"),
        run.database_variable: sqlite_url(database),
    }


def search_path(root: Path, run: Run) -> list[Path]:
    """Where the application's modules are imported from: the root, and the root of its module."""
    path = [root.absolute()]
    parts = run.application.partition(":")[0].split(".")
    for folder in ("src", "."):
        candidate = root / folder / parts[0]
        if candidate.is_dir() or candidate.with_suffix(".py").is_file():
            found = (root / folder).absolute()
            if found not in path:
                path.insert(0, found)
            break
    return path

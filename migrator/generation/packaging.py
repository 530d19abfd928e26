"""What a service has to install: only what its code imports, at the monolith's versions.

The monolith's own environment is the source: it knows which distribution an import comes from,
and which versions were tried together. `uv pip compile` closes the set and adds the hashes.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from uv import find_uv_bin

from migrator.generation.templating import template_folder
from migrator.model.distributions import Distribution, Installed
from migrator.model.errors import Refused

_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][\w.-]*)\s*(?:\[([^\]]*)\])?")
_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
# Extras that people install to work on a distribution, not to run it; `all` repeats the others.
_DEVELOPMENT = re.compile(
    r"(all|(dev|develop|development|test|testing|doc|lint|linting|typing|mypy|benchmark"
    r"|benchmarking|cov|coverage|code|style|profiling|qa|ci|release|rtd)s?)([-_.].*)?"
)
# SQLAlchemy's extras that are drivers of servers: a service's databases are SQLite files.
_DRIVERS = re.compile(r"(postgresql|mysql|pymysql|mariadb|mssql|oracle)([-_.].*)?")
_TOOLS = frozenset({"pip", "setuptools", "wheel", "uv", "pytest", "hypothesis", "sphinx", "mypy"})


def normal(name: str) -> str:
    """A distribution's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Pinning:
    """Requirements for one monolith's environment.

    `variables` is the environment of uv, which says where the package index is.
    """

    def __init__(self, installed: Installed, variables: Mapping[str, str] | None = None) -> None:
        self.installed = installed
        self._variables = variables
        self._known = {normal(each.name): each for each in installed.distributions}

    def direct(self, imports: Iterable[str], commands: Iterable[str]) -> list[str]:
        """The requirement lines of what a service needs by itself, servicekit included.

        Those that `imports` come from; those whose console scripts stand in `commands`; and what
        these load by name where the monolith has it installed: optional parts (WTForms' e-mail
        validator) and plug-ins (a dialect, a session store). Raises `Refused` for a distribution
        that no other machine could install.
        """
        providers: dict[str, list[str]] = {}
        for name, each in self._known.items():
            for imported in each.imports:
                providers.setdefault(imported, []).append(name)
        needed = {name for imported in set(imports) for name in providers.get(imported, ())}
        words = {Path(word).name for command in commands for word in command.split()}
        needed |= {name for name, each in self._known.items() if words & set(each.scripts)}
        own = sorted(_with_optional_parts(self._known, providers, needed))
        kit = [
            line for line in servicekit_requirements() if normal(_required(line)[0]) not in set(own)
        ]
        return [*(requirement(self._known[name]) for name in own), *kit]

    def closed(self, direct: Iterable[str], service: str) -> str:
        """The text of requirements.txt: all that `direct` needs, pinned as in the monolith.

        Every line has its hashes, and no index is named. Raises `Refused` with uv's words when no
        set of versions fits.
        """
        constraints = [
            f"{each.name}=={each.version}" for each in self._known.values() if not each.url
        ]
        with tempfile.TemporaryDirectory() as folder:
            asked = Path(folder, "requirements.in")
            asked.write_text("\n".join(direct) + "\n")
            limits = Path(folder, "constraints.txt")
            limits.write_text("\n".join(constraints) + "\n")
            command = [
                find_uv_bin(), "pip", "compile", str(asked), "--constraints", str(limits),
                "--python", self.installed.python, "--generate-hashes", "--no-header",
                "--no-annotate", "--no-emit-index-url", "--no-emit-find-links", "--quiet",
                "--no-progress",
            ]  # fmt: skip
            ran = subprocess.run(
                command,
                capture_output=True,
                text=True,
                cwd=folder,
                env=None if self._variables is None else dict(self._variables),
                check=False,
            )
        if ran.returncode != 0:
            raise Refused(
                f"{service}: no set of versions fits the monolith's pins and servicekit's needs:\n"
                f"{ran.stderr.strip()}",
                hint="relax the pin that is named, or see whether the package index can be reached",
            )
        return ran.stdout


def _with_optional_parts(
    known: dict[str, Distribution], providers: Mapping[str, list[str]], needed: set[str]
) -> set[str]:
    """With what they load without asking for it, where the monolith has that installed."""
    found = set(needed)
    required: set[str] = set()
    waiting = sorted(needed)
    while waiting:
        each = known[waiting.pop()]
        for line in each.requires:
            name, extra = _required(line)
            if name not in known or name in found or name in required:
                continue
            if extra is None:
                required.add(name)
                waiting.append(name)
            elif not _left_out(each, extra) and name not in _TOOLS:
                found.add(name)
                waiting.append(name)
        loaded = {name for top in each.loads for name in providers.get(top, ())}
        loaded -= found | required | _TOOLS
        found |= loaded
        waiting += sorted(loaded)
        if "pkg_resources" in each.loads and "setuptools" in known:
            found.add("setuptools")
        imports = set(each.imports)
        for name, other in known.items():
            plugs = {group.partition(".")[0] for group in other.plugs_into}
            if name not in found | required | _TOOLS and plugs & imports:
                found.add(name)
                waiting.append(name)
    return found


def _left_out(distribution: Distribution, extra: str) -> bool:
    driver = normal(distribution.name) == "sqlalchemy" and _DRIVERS.fullmatch(extra)
    return bool(driver or _DEVELOPMENT.fullmatch(extra))


def _required(line: str) -> tuple[str, str | None]:
    """The name that a `Requires-Dist` line asks for, and the extra that it belongs to."""
    match = _REQUIREMENT.match(line)
    extra = _EXTRA.search(line)
    return (normal(match[1]) if match else "", extra[1] if extra else None)


def servicekit_requirements() -> list[str]:
    """What servicekit itself imports, as requirement lines."""
    text = (template_folder() / "service" / "servicekit-requirements.txt").read_text()
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def requirement(distribution: Distribution) -> str:
    """The requirement of exactly this distribution; raises `Refused` for one from a folder."""
    if distribution.url.startswith("file:"):
        raise Refused(
            f"{distribution.name} is installed from {distribution.url}, which no other machine has",
            hint="publish it to an index, or make it part of the monolith's sources",
        )
    if distribution.url:
        return f"{distribution.name} @ {distribution.url}"
    return f"{distribution.name}=={distribution.version}"

"""Virtual environments, made by uv, one for each set of requirements, kept by content."""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import msgspec
import uv

from migrator.model.distributions import Installed
from migrator.model.errors import OperationError, Place
from migrator.model.private import PRIVATE
from migrator.model.progress import Progress, Silent
from migrator.operation.interpreters import interpreter

_LAYOUT = "4"
"""Part of every digest: raised when an environment is made in another way."""

_METADATA = ("pyproject.toml", "setup.py", "setup.cfg")


@dataclass(frozen=True, slots=True)
class Environment:
    """An installed virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def bin(self) -> Path:
        return self.folder / "bin"


def make_environment(
    cache: Path,
    python: str,
    requirements: list[str],
    root: Path,
    progress: Progress | None = None,
    *,
    task: str = "Install",
    hashes: bool = False,
    ensure: tuple[str, ...] = (),
) -> Environment:
    """The environment of `requirements`, made unless `cache` has it.

    `requirements` are lines of pip's arguments relative to `root` (`-r requirements.txt`,
    `flask==3.1.0`, `.`). A local project is installed from a copy, so that building writes
    nothing into it. `ensure` are requirements (`NAME`, `NAME<MAJOR`) that are added where the
    others bring no such distribution, or a newer one that none of them names itself. With
    `hashes` every requirement must carry one. Raises OperationError with uv's words.
    """
    progress = progress or Silent()
    cache, root = cache.resolve(), root.resolve()
    interpreter, version = _interpreter(python, root)
    digest = _digest(f"{interpreter} {version}", requirements, root, hashes, ensure)
    folder = cache / digest
    cache.mkdir(parents=True, exist_ok=True)
    (cache / ".gitignore").write_text("*\n")
    with _locked(cache / f"{digest}.lock"):
        if not folder.is_dir():
            progress.start(task)
            building = Path(f"{folder}.building")
            shutil.rmtree(building, ignore_errors=True)
            try:
                _build(building, interpreter, requirements, root, hashes, ensure)
                building.rename(folder)
            finally:
                shutil.rmtree(building, ignore_errors=True)
            progress.finish(task)
    return Environment(folder)


def installed(environment: Environment) -> Installed:
    """The environment's interpreter and its distributions, asked of `importlib.metadata` there."""
    script = Path(__file__).with_name("installed.py").read_text(encoding="utf-8")
    asked = subprocess.run(
        [environment.python, "-I", "-c", script], capture_output=True, text=True, check=False
    )
    if asked.returncode:
        raise OperationError(
            f"the interpreter of {environment.folder} does not run",
            hint=f"delete {environment.folder} and try again",
            log_tail=asked.stderr,
        )
    return msgspec.json.decode(asked.stdout, type=Installed)


def _build(
    folder: Path,
    python: str,
    requirements: list[str],
    root: Path,
    hashes: bool,
    ensure: tuple[str, ...],
) -> None:
    _uv(["venv", "--relocatable", "--no-project", "--python", python, str(folder)], root)
    target = ["pip", "install", "--python", str(folder / "bin" / "python")]
    with _copies(requirements, root, Path(f"{folder}.sources")) as arguments:
        if arguments:
            _install([*target, *(["--require-hashes"] if hashes else []), *arguments], folder, root)
    stated = [*_arguments(requirements)]
    stated += [path.read_text(encoding="utf-8", errors="replace") for path in _files(stated, root)]
    missing = [name for name in ensure if not _has(folder, name, "\n".join(stated))]
    if missing:
        constraints = folder / "constraints.txt"
        frozen = _uv(["pip", "freeze", "--python", str(folder / "bin" / "python")], root)
        replaced = tuple(f"{each.partition('<')[0]}==" for each in missing)
        pins = [
            line
            for line in frozen.splitlines()
            if "==" in line and " @ " not in line and not line.startswith(replaced)
        ]
        constraints.write_text("\n".join(pins) + "\n")
        _uv([*target, "--constraint", str(constraints), *missing], root)


def _install(command: list[str], folder: Path, root: Path) -> None:
    """Run an installation; what today's setuptools cannot build is built with that of its time.

    setuptools 58 dropped `use_2to3`, and later releases other things that old sdists ask for.
    """
    try:
        _uv(command, root)
    except OperationError as error:
        if _UNBUILT.search(error.log_tail) is None:
            raise
        builders = folder / "builders.txt"
        builders.write_text(f"{_OLD_BUILDER}\n")
        try:
            _uv([*command, "--build-constraints", str(builders)], root)
        except OperationError:
            raise error from None


def _has(folder: Path, requirement: str, stated: str) -> bool:
    """Whether a distribution is there: as `stated` asks for it, or else of an allowed version."""
    distribution, _, below = requirement.partition("<")
    pattern = distribution.replace("-", "[-_.]")
    for info in folder.glob(f"lib/python*/site-packages/{pattern}-*.dist-info"):
        major = re.match(r"\d+", info.name.removesuffix(".dist-info").rpartition("-")[2])
        newer = below and major and int(major[0]) >= int(below)
        if not newer or re.search(rf"(?mi)^[\s\"']*{pattern}\b", stated):
            return True
    return False


@contextmanager
def _copies(requirements: list[str], root: Path, place: Path) -> Iterator[list[str]]:
    """The arguments with each local project replaced by a copy of it that may be written to."""
    arguments = _arguments(requirements)
    kept: list[str] = []
    try:
        for number, argument in enumerate(arguments):
            project, extras = _local_project(argument, root)
            if project is None:
                kept.append(argument)
                continue
            copy = place / str(number) / project.name
            shutil.copytree(project, copy, ignore=_not_for_building, symlinks=True)
            if kept and kept[-1] in ("-e", "--editable"):
                kept.pop()
            kept.append(f"{copy}{extras}")
        yield kept
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _not_for_building(folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if name in (".git", PRIVATE, "__pycache__", "node_modules", ".tox", ".nox")
        or os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
    }


def _arguments(requirements: list[str]) -> list[str]:
    """The lines as single arguments: `-rfile`, `--requirement=file` and `-r file` are one."""
    arguments: list[str] = []
    for line in requirements:
        for word in shlex.split(line, comments=True):
            name, equals, value = word.partition("=")
            if word[:2] in ("-r", "-c", "-e") and len(word) > 2 and not word.startswith("--"):
                arguments += [word[:2], word[2:]]
            elif equals and name in ("--requirement", "--constraint", "--editable"):
                arguments += [name, value]
            else:
                arguments.append(word)
    return arguments


def _local_project(argument: str, root: Path) -> tuple[Path | None, str]:
    """The folder of a local project with its `[extras]`, where an argument names one."""
    path, bracket, extras = argument.partition("[")
    if argument.startswith("-") or not path:
        return None, ""
    folder = (root / path).resolve()
    is_path = path.startswith((".", "/")) or "/" in path
    if is_path and any((folder / name).is_file() for name in _METADATA):
        return folder, bracket + extras
    return None, ""


def _digest(
    interpreter: str, requirements: list[str], root: Path, hashes: bool, ensure: tuple[str, ...]
) -> str:
    """The digest of all that decides what an environment contains."""
    seen = hashlib.sha256(repr((_LAYOUT, interpreter, requirements, hashes, ensure)).encode())
    for path in sorted(_files(_arguments(requirements), root)):
        seen.update(os.path.relpath(path, root).encode())
        seen.update(path.read_bytes())
    return seen.hexdigest()[:16]


def _files(arguments: list[str], root: Path, seen: set[Path] | None = None) -> set[Path]:
    """Requirement and constraint files, those that they include, and local projects' metadata."""
    seen = set() if seen is None else seen
    for option, value in pairwise([*arguments, ""]):
        if option in ("-r", "--requirement", "-c", "--constraint"):
            path = (root / value).resolve()
            if not path.is_file():
                raise OperationError(
                    f"install names {value}, which is not there",
                    place=Place("pyproject.toml"),
                    hint="correct `install` of [tool.migrator.run]",
                )
            if path not in seen:
                seen.add(path)
                included = [
                    line
                    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
                    if line.startswith(("-r", "-c", "-e", "--req", "--con", "."))
                ]
                _files(_arguments(included), path.parent, seen)
        else:
            project, _ = _local_project(option, root)
            if project is not None:
                seen.update(p for name in _METADATA if (p := project / name).is_file())
    return seen


@lru_cache
def _interpreter(python: str, root: Path) -> tuple[str, str]:
    """Path and version of an interpreter; its bare name where uv has to find or fetch it.

    Asked of itself, in the project: names on PATH may stand for whatever a version manager chooses,
    or for what it keeps elsewhere.
    """
    if re.fullmatch(r"python3\.\d+", python):
        python = interpreter(python) or python
    found = shutil.which(python) or (str(root / python) if (root / python).is_file() else None)
    if found is None:
        return python, ""
    asked = subprocess.run(
        [found, "-I", "-c", "import sys; print(sys.executable); print(sys.version)"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    path, _, version = asked.stdout.strip().partition("\n")
    return (path, version) if asked.returncode == 0 else (python, "")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


_finding = threading.Lock()
"""uv is found by `sysconfig`, which gives half of what it knows while another thread fills it."""


def _uv(arguments: list[str], root: Path) -> str:
    """Run uv in `root`; what it printed. OperationError with the end of its messages."""
    with _finding:
        command = [uv.find_uv_bin(), "--no-progress", *arguments]
    ran = subprocess.run(
        command,
        cwd=root,
        env=uv_variables(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        tail = "\n".join(ran.stderr.strip().splitlines()[-20:])
        built = _UNBUILT.search(ran.stderr)
        why = f"{built.group(1)} cannot be built" if built else "uv failed"
        what = " ".join(shlex.quote(a) for a in arguments if not a.startswith("--"))
        raise OperationError(
            f"the environment was not installed, since {why}: {what}",
            hint=_hint(ran.stderr),
            log_tail=tail,
        )
    return ran.stdout


_OLD_BUILDER = "setuptools<58"
_UNBUILT = re.compile(r"(?:Failed to build|Failed to download and build) `([^`]+)`")
_HINTS = (
    (
        "Failed to download `https://github.com/astral-sh/python-build-standalone",
        "no interpreter of this name starts here, and none could be fetched: set `python` of"
        " [tool.migrator.run] to the path of one",
    ),
    ("No interpreter found", "set `python` of [tool.migrator.run] to an interpreter that is here"),
    ("requires-python", "set `python` of [tool.migrator.run] to a version that it allows"),
    ("requires Python", "set `python` of [tool.migrator.run] to a version that it allows"),
    ("dns error", "there is no way to a package index: check the network or pip's configuration"),
    (
        "Failed to build",
        "it has no wheel for this interpreter: pin another release, or set `python` of"
        " [tool.migrator.run] to the version that it was made for",
    ),
    ("Could not find", "correct `install` of [tool.migrator.run]"),
)


def _hint(text: str) -> str:
    return next((hint for sign, hint in _HINTS if sign in text), "correct the requirements above")


def uv_variables(environ: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """The environment for uv: as it is, with what pip is configured with where uv is not told."""
    pip = _pip_configuration(environ)
    said = dict(environ)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "UV_PYTHON"):
        said.pop(name, None)
    for option, variable, separator in (
        ("index-url", "UV_DEFAULT_INDEX", " "),
        ("extra-index-url", "UV_INDEX", " "),
        ("find-links", "UV_FIND_LINKS", ","),
        ("no-index", "UV_NO_INDEX", ""),
        ("cert", "SSL_CERT_FILE", ""),
        ("timeout", "UV_HTTP_TIMEOUT", ""),
    ):
        value = pip.get(option)
        if value and variable not in said:
            said[variable] = separator.join(value.split()) if separator else value
    if "UV_INDEX" in said:
        # pip takes the best version of all indexes; uv would stop at the first that has the name.
        said.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    # Nothing that runs in an environment writes bytecode, so it is made here, once.
    said.setdefault("UV_COMPILE_BYTECODE", "1")
    return said


def _pip_configuration(environ: os._Environ[str] | dict[str, str]) -> dict[str, str]:
    """pip's `[global]` options: of its files, then of its variables, which win."""
    home = Path(environ.get("HOME", "~")).expanduser()
    files: Iterable[str | Path] = (
        "/etc/pip.conf",
        home / ".pip" / "pip.conf",
        Path(environ.get("XDG_CONFIG_HOME", home / ".config")) / "pip" / "pip.conf",
        environ.get("PIP_CONFIG_FILE", os.devnull),
    )
    parser = configparser.RawConfigParser()
    options: dict[str, str] = {}
    try:
        parser.read([str(file) for file in files], encoding="utf-8")
        options.update(parser.items("global") if parser.has_section("global") else ())
    except (configparser.Error, UnicodeDecodeError):
        pass
    options = {name.replace("_", "-"): value for name, value in options.items()}
    for name, value in environ.items():
        if name.startswith("PIP_"):
            options[name[4:].lower().replace("_", "-")] = value
    if options.get("default-timeout"):
        options.setdefault("timeout", options["default-timeout"])
    return options

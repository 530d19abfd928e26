"""What an application is installed with, what it is told, and how it is tested."""

from __future__ import annotations

import ast
import json
import re
import shlex
import tomllib
from typing import Any

from migrator.operation.guess.imported import imported_distributions
from migrator.operation.guess.locks import locked_beside
from migrator.operation.guess.project import Guess, Project, Read, reads_of
from migrator.operation.interpreters import interpreter, minor

_MAIN_REQUIREMENTS = (
    "requirements.txt",
    "requirements/prod.txt",
    "requirements/production.txt",
    "requirements/main.txt",
    "requirements/base.txt",
    "requirements/common.txt",
    "requirements/requirements.txt",
)
_TEST_REQUIREMENTS = (
    "requirements-test.txt",
    "requirements-tests.txt",
    "requirements-dev.txt",
    "requirements_test.txt",
    "requirements_dev.txt",
    "test-requirements.txt",
    "dev-requirements.txt",
    "requirements/test.txt",
    "requirements/tests.txt",
    "requirements/testing.txt",
    "requirements/dev.txt",
    "requirements/development.txt",
)
_CLIENTS = ("requests", "httpx", "aiohttp", "urllib3")
_TEST_URL = re.compile(r"URL|HOST|ADDRESS|SERVER|ENDPOINT|TARGET")
_FOLDER = re.compile(r"(_|^)(DIR|DIRECTORY|FOLDER|ROOT|PATH|STORAGE|MEDIA|UPLOADS?)$")
_SWITCH = re.compile(r"^(USE|ENABLE|DISABLE|ALLOW|IS|HAS|WITH)_")
"""In the name of a variable that is a switch, whatever it ends with: `USE_CLOUD_STORAGE`."""
_FILE = re.compile(r"FILE|CONF|SETTINGS")
"""In the name of a variable that names a file to be read: it is no place for data."""
_OWN_URL = re.compile(r"(^|_)(PUBLIC|SITE|BASE|EXTERNAL|APP|FRONTEND|ROOT)_?(URL|URI)$")
_SECRET = re.compile(r"SECRET|KEY|PASSWORD|TOKEN|SALT|PEPPER")
_NO_SECRET = "not-a-secret-in-tests" + "." * 43
"""As long as any check of keys asks for: 64 characters."""
_NEWEST = 14
"""The newest minor version of Python that is looked for."""
_OF_THE_MACHINE = {"PATH", "HOME", "USER", "PWD", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV", "PORT"}


def guess_python(project: Project) -> Guess:
    """The interpreter: the version that the project asks for where this machine has it."""
    for file, pattern in (
        (".python-version", r"^(3\.\d+)"),
        ("runtime.txt", r"python-(3\.\d+)"),
        ("Pipfile", r"python_version\s*=\s*\"(3\.\d+)"),
        ("Dockerfile", r"^FROM\s+(?:\S*/)?python:(3\.\d+)"),
    ):
        asked = re.search(pattern, project.text(file), re.MULTILINE)
        if asked:
            name = f"python{asked.group(1)}"
            if int(asked.group(1).partition(".")[2]) < 8:
                because = f"{file} asks for {name}; services need Python 3.8 or later"
                # The oldest that will do is the likeliest to run what was pinned then.
                oldest = (interpreter(f"python3.{each}") for each in range(8, _NEWEST + 1))
                return Guess(next(filter(None, oldest), "python3"), because, sure=False)
            if found := interpreter(name):
                return Guess(found, f"{file} asks for it")
            because = f"{file} asks for {name}, which is not on this machine"
            return Guess("python3", because, sure=False)
    return _allowed_python(project)


def _allowed_python(project: Project) -> Guess:
    """An interpreter within the range that pyproject.toml allows, python3 before others."""
    stated = _pyproject(project)
    poetry = stated.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python", "")
    asked = str(stated.get("project", {}).get("requires-python", "") or poetry)
    least = [int(each) for each in re.findall(r"(?:>=|\^|~=?|==)\s*3\.(\d+)", asked)]
    below = [int(each) for each in re.findall(r"<\s*3\.(\d+)", asked)]
    allowed = range(max([8, *least]), min([_NEWEST + 1, *below]))
    if not least or minor("python3") in allowed:
        because = f"pyproject.toml allows it: {asked}" if least else "nothing asks for another"
        return Guess("python3", because)
    for each in allowed:
        if found := interpreter(f"python3.{each}"):
            return Guess(found, f"pyproject.toml asks for {asked}")
    because = f"pyproject.toml asks for Python {asked}, and no such interpreter runs here"
    return Guess("python3", because, sure=False)


def guess_install(project: Project) -> Guess:
    """Lines of arguments of `pip install`."""
    lines, reasons = _requirement_files(project)
    pyproject = _pyproject(project)
    if not lines and (_is_installable(pyproject) or project.is_file("setup.py")):
        extras = sorted(
            {"test", "tests", "testing", "dev"}
            & set(pyproject.get("project", {}).get("optional-dependencies", {}))
        )
        lines = ["." + (f"[{','.join(extras)}]" if extras else "")]
        reasons = ["pyproject.toml" if _is_installable(pyproject) else "setup.py"]
        pins, lock = locked_beside(project, pyproject)
        stated = pyproject.get("project", {}).get("dependencies", ())
        if (pins or stated) and not _is_package(project, pyproject):
            lines = [] if pins else [shlex.join(stated)]
        if pins:
            lines.append(" ".join(pins))
            reasons.append(f"the versions of {lock}")
    for folder in ("",) if project.is_file(".git/HEAD") else ("", "../"):
        if not lines and project.text(f"{folder}requirements.txt").strip():
            lines, reasons = [f"-r {folder}requirements.txt"], [f"{folder}requirements.txt"]
        if not lines and (pins := _locked(project.text(f"{folder}Pipfile.lock"))):
            lines, reasons = [" ".join(pins)], [f"{folder}Pipfile.lock"]
    sure = bool(lines)
    if not lines and (imported := imported_distributions(project)):
        lines = [" ".join(imported)]
        reasons = [
            "no requirements were found, and this is what the code imports: pin the versions that"
            " it was made for"
        ]
    missing = _missing_for_tests(project, lines)
    if missing:
        lines.append(" ".join(missing))
        reasons.append(f"the tests import {', '.join(missing)}")
    if not reasons:
        return Guess([], "no requirements were found", sure=False)
    return Guess(lines, " and ".join(reasons), sure=sure)


def _requirement_files(project: Project) -> tuple[list[str], list[str]]:
    main = next((file for file in _MAIN_REQUIREMENTS if project.text(file).strip()), "")
    test = next((file for file in _TEST_REQUIREMENTS if project.text(file).strip()), "")
    includes = re.findall(r"^\s*-r\s*(\S+)", project.text(test), re.MULTILINE)
    folder = test.rpartition("/")[0]
    included = {f"{folder}/{file}".lstrip("/") for file in includes}
    files = [file for file in (main, test) if file and not (file == main and main in included)]
    return [f"-r {file}" for file in files], files


def _pyproject(project: Project) -> dict[str, Any]:
    try:
        return tomllib.loads(project.text("pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return {}


def _is_installable(pyproject: dict[str, Any]) -> bool:
    """Whether pyproject.toml says what the project depends on."""
    stated = pyproject.get("project", {})
    return bool(
        stated.get("dependencies")
        or "dependencies" in stated.get("dynamic", ())
        or pyproject.get("tool", {}).get("poetry", {}).get("dependencies")
    )


def _is_package(project: Project, pyproject: dict[str, Any]) -> bool:
    """Whether the project can be installed itself; many only list what they need (uv, Poetry)."""
    poetry = pyproject.get("tool", {}).get("poetry", {})
    if not poetry.get("package-mode", True):
        return False
    return bool(
        "build-system" in pyproject
        or poetry
        or project.is_file("setup.py")
        or project.is_file("setup.cfg")
    )


def _locked(text: str) -> list[str]:
    """The pins of a Pipfile.lock; none where there is no such file."""
    try:
        lock = json.loads(text)
    except ValueError:
        return []
    pins = {**lock.get("default", {}), **lock.get("develop", {})}
    return [f"{name}{pin['version']}" for name, pin in sorted(pins.items()) if "version" in pin]


def _missing_for_tests(project: Project, lines: list[str]) -> list[str]:
    """Test tools that the tests import and no requirement names."""
    stated = " ".join(lines) + project.text("pyproject.toml")
    for file in project.files:
        if file.endswith(".txt") and "require" in file:
            stated += project.text(file)
    imported = {
        dotted.partition(".")[0] for module in project.tests for dotted in module.imports.values()
    }
    return [
        name
        for name in ("pytest", *_CLIENTS)
        if name in imported and not re.search(rf"(?im)(^|[\s\"']){name}\b", stated)
    ]


def guess_test(project: Project) -> tuple[Guess, Guess]:
    """The command of the HTTP tests, and the variable that tells them the base URL."""
    for module in project.tests:
        clients = {dotted.partition(".")[0] for dotted in module.imports.values()}
        if not clients & {*_CLIENTS, "urllib", "http"}:
            continue
        for read in reads_of(module):
            if _TEST_URL.search(read.name):
                folder = module.file.rpartition("/")[0] or module.file
                told = Guess(read.name, f"{read.place} reads it")
                return Guess(f"python -m pytest -q {folder}", f"{folder} speaks HTTP"), told
    default = Guess("BASE_URL", "the default")
    inside = next((m.file for m in project.tests if m.imports), "")
    because = (
        f"{inside} runs the application inside the test, so it cannot be pointed at services:"
        " leave this empty and use `migrator record`, or write tests that speak HTTP to a base URL"
        if inside
        else "there are no tests: leave this empty and use `migrator record`, or write some that"
        " speak HTTP to a base URL"
    )
    return Guess("", because, sure=False), default


def guess_environment(project: Project, database: str) -> dict[str, Guess]:
    """Variables without which the application does not start, and those that say where files go."""
    found: dict[str, Guess] = {}
    for read in project.reads:
        if read.name in found or read.name == database or read.name in _OF_THE_MACHINE:
            continue
        value = _value(read)
        if value is not None:
            found[read.name] = Guess(value, f"{read.place} reads it", sure=not read.required)
        elif not read.default and (told := _settings_told(project, read.name)):
            found[read.name] = told
    return dict(sorted(found.items()))


def _settings_told(project: Project, variable: str) -> Guess | None:
    """A class or module of the code that a file of variables, a compose file or a text sets a
    variable to: whose settings the application takes."""
    hidden = sorted(path.name for path in project.root.glob(".*env*") if path.is_file())
    told = [f for f in project.files if f.endswith((".yml", ".yaml", ".md", ".rst", "Dockerfile"))]
    for file in (*hidden, *told):
        for found in re.finditer(
            rf"\b{re.escape(variable)}\s*[=:]\s*[\"']?([\w.]+)", project.text(file)
        ):
            value = found[1]
            module = project.modules.get(value.rpartition(".")[0])
            defined = () if module is None else module.tree.body
            if value in project.modules or any(
                isinstance(each, ast.ClassDef) and each.name == value.rpartition(".")[2]
                for each in defined
            ):
                return Guess(value, f"{file} sets it")
    return None


def _value(read: Read) -> str | None:
    """What to tell the application; None where its own default will do."""
    is_folder = _FOLDER.search(read.name) and not _SWITCH.match(read.name)
    if is_folder and not _FILE.search(read.name):
        return "{data}/" + (_FOLDER.sub("", read.name).strip("_").lower() or "files")
    if _OWN_URL.search(read.name):
        return "{base_url}"
    if not read.required and not (read.name.endswith("SECRET_KEY") and not read.default):
        return None
    if _SECRET.search(read.name):
        return _NO_SECRET
    return "localhost" if re.search(r"HOST|SERVER|DOMAIN", read.name) else ""

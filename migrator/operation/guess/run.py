"""All of `[tool.migrator.run]` guessed, and written into pyproject.toml with its reasons."""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from migrator.facts.settings import FILE, load_settings
from migrator.model.errors import ConfigurationError, Place
from migrator.model.settings import Run
from migrator.operation.guess.application import (
    guess_application,
    guess_processes,
    hidden_application,
)
from migrator.operation.guess.database import guess_database, guess_migrate, guess_seed
from migrator.operation.guess.project import Guess, Project
from migrator.operation.guess.surroundings import (
    guess_environment,
    guess_install,
    guess_python,
    guess_test,
)
from migrator.plan.evidence import support
from migrator.plan.wording import counted, enumerated

SECTION = "tool.migrator.run"


@dataclass(frozen=True, slots=True)
class GuessedRun:
    """The keys of the section in their order, and its tables."""

    keys: dict[str, Guess]
    tables: dict[str, dict[str, Guess]]

    @property
    def doubts(self) -> dict[str, Guess]:
        """What a person has to look at."""
        named = {**self.keys}
        for table, entries in self.tables.items():
            named.update({f"{table}.{name}": guess for name, guess in entries.items()})
        return {name: guess for name, guess in named.items() if not guess.sure}


def _elsewhere(project: Project) -> str:
    """Which folders hold an application, if they are taken for the monolith's own root."""
    tops = sorted({each.file.partition("/")[0] for each in project.own if "/" in each.file})
    found = [top for top in tops if guess_application(Project(project.root / top))]
    if not found:
        return ""
    return "; or ".join(f"`migrator init {project.root / top}`" for top in found) + " finds one"


def _unparsed(project: Project) -> str:
    """What to do where no file can be read at all."""
    if project.own or not project.unparsed:
        return ""
    return f"mend what does not parse: {enumerated(project.unparsed)}"


def _root_below(project: Project, application: str) -> str:
    """The folder that the application's modules call their root where it is not the project's."""
    top = application.partition(":")[0].partition(".")[0]
    tops = {name.partition(".")[0] for name in project.modules}
    if top in project.modules:
        return ""
    for module in project.own:
        heads = {dotted.partition(".")[0] for dotted in module.imports.values()}
        if module.file.startswith(f"{top}/") and any(
            head not in tops and f"{top}.{head}" in project.modules for head in heads
        ):
            return top
    return ""


def _unread(project: Project) -> str:
    """What to say of the web framework that the project imports and that is not read."""
    for module in project.own:
        for dotted in module.imports.values():
            if said := support.unread(dotted.partition(".")[0]):
                return f"{module.file}: {said}"
    return ""


def guess_run(root: Path) -> GuessedRun:
    """How the project in `root` is run, from its files alone.

    Raises ConfigurationError for a folder without Python, or without a WSGI application.
    """
    project = Project(root)
    unread = "" if project.uses_flask else _unread(project)
    application = None if unread else guess_application(project)
    if application is None:
        raise ConfigurationError(
            f"no Flask application was found in {counted(len(project.own), 'Python file')}",
            hint=_unparsed(project)
            or _elsewhere(project)
            or unread
            or hidden_application(project)
            or "migrator reads Flask applications: `app = Flask(...)` or a function that"
            f' returns one; or write [{SECTION}] application = "module:app" yourself',
        )
    below = _root_below(project, str(application.value))
    if below:
        raise ConfigurationError(
            f"{application.value} is imported from the folder {below}, which is the root of its"
            " modules",
            hint=f"`migrator init {root / below}`",
        )
    database = guess_database(project, str(application.value))
    migrate = guess_migrate(project, str(application.value))
    seed = guess_seed(project)
    test, base_url = guess_test(project)
    environment = guess_environment(project, str(database.value))
    commands = f"{migrate.value} {seed.value if seed else ''}"
    if re.search(r"\bflask\b", commands):
        told = Guess(str(application.value), "what the flask command works on")
        environment = {"FLASK_APP": told, **environment}
    keys = {
        "application": application,
        "python": guess_python(project),
        "install": guess_install(project),
        "database": database,
        "migrate": migrate,
        "seed": seed or Guess("", "no command fills the database: tests start from an empty one"),
        "test": test,
        "base_url": base_url,
    }
    tables = {"environment": environment, "processes": guess_processes(project)}
    return GuessedRun(keys, {name: entries for name, entries in tables.items() if entries})


def section_text(guessed: GuessedRun) -> str:
    """The section as TOML, each value under a comment that says why."""
    lines = [
        f"[{SECTION}]",
        "# How this application is run; guessed by `migrator init`, tried by `migrator doctor`.",
    ]
    for name, guess in guessed.keys.items():
        lines += _entry(name, guess)
    for table, entries in guessed.tables.items():
        lines += ["", f"[{SECTION}.{table}]"]
        for name, guess in entries.items():
            lines += _entry(name, guess)
    return "\n".join(lines) + "\n"


def _entry(name: str, guess: Guess) -> list[str]:
    doubt = "" if guess.sure else "LOOK HERE: "
    key = name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name)
    # A JSON string or list of strings is TOML as well.
    return [f"# {doubt}{guess.because}.", f"{key} = {json.dumps(guess.value, ensure_ascii=False)}"]


def write_settings(root: Path, guessed: GuessedRun, *, force: bool = False) -> Path:
    """Write the section into pyproject.toml, all else in which stays to the letter.

    Raises ConfigurationError when there is such a section already, unless `force` replaces it.
    """
    path = root / FILE
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    try:
        before = tomllib.loads(text).get("tool", {}).get("migrator", {})
    except tomllib.TOMLDecodeError:
        load_settings(root)
        raise
    if "run" in before:
        if not force:
            raise ConfigurationError(
                f"[{SECTION}] is there already",
                place=Place(FILE, _line_of_section(text)),
                hint="`migrator doctor` tries it; `migrator init --force` replaces it",
            )
        text = _without_section(text)
    written = (
        f"{text.rstrip()}\n\n{section_text(guessed)}" if text.strip() else section_text(guessed)
    )
    _require_same(text, written, root)
    path.write_text(written, encoding="utf-8")
    load_settings(root)
    return path


def _line_of_section(text: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(r"\s*\[\s*tool\s*\.\s*migrator\s*\.\s*run\b", line):
            return number
    return 0


def _without_section(text: str) -> str:
    """The text without the section, its tables and their comments."""
    kept: list[str] = []
    inside = False
    for line in text.splitlines(keepends=True):
        if re.match(r"\s*\[", line):
            inside = bool(re.match(r"\s*\[\s*tool\s*\.\s*migrator\s*\.\s*run\s*[.\]]", line))
        if not inside:
            kept.append(line)
    return "".join(kept)


def _require_same(before: str, after: str, root: Path) -> None:
    """The file says the same as before but for the section, which is what we meant to say."""
    try:
        old, new = tomllib.loads(before), tomllib.loads(after)
        run = new["tool"]["migrator"].pop("run")
        if not new["tool"]["migrator"]:
            del new["tool"]["migrator"]
        if not old.get("tool", {}).get("migrator", {1: 1}):
            del old["tool"]["migrator"]
        if not new["tool"] and "tool" not in old:
            del new["tool"]
        fits = old == new and set(run) <= set(Run.__struct_fields__)
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise _by_hand(root) from error
    if not fits:
        raise _by_hand(root)


def _by_hand(root: Path) -> ConfigurationError:
    return ConfigurationError(
        f"[{SECTION}] cannot be written into this file without changing other parts of it",
        place=Place(FILE),
        hint=f"`migrator init {root} --print` shows it: put it in by hand",
    )

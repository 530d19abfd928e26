"""`[tool.migrator]` of a project's pyproject.toml, read and checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from migrator.model.errors import ConfigurationError, Place
from migrator.model.settings import Demands, Run, Settings

FILE = "pyproject.toml"
_AT_LINE = re.compile(r"\(at line (\d+)")
_AT_PATH = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)


def load_settings(root: Path) -> Settings:
    """The settings of the project in `root`; the defaults where it says nothing.

    Raises ConfigurationError, with file and line, for a missing folder, TOML that does not
    parse, an unknown key or a value of the wrong type.
    """
    if not root.is_dir():
        raise ConfigurationError(
            "is not a folder",
            place=Place(str(root)),
            hint="give the root folder of the monolith",
        )
    path = root / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", place=Place(FILE)) from error
    try:
        table = tomllib.loads(text).get("tool", {}).get("migrator", {})
    except tomllib.TOMLDecodeError as error:
        line = _AT_LINE.search(str(error))
        raise ConfigurationError(
            f"is not valid TOML: {error}",
            place=Place(FILE, int(line.group(1)) if line else 0),
            hint=f"mend {path}",
        ) from error
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise _invalid(error, text) from error


def load_run(root: Path) -> Run:
    """How the project is run; ConfigurationError when it does not say."""
    run = load_settings(root).run
    if run is None:
        raise ConfigurationError(
            "has no [tool.migrator.run]: how the application is run is not known",
            place=Place(FILE),
            hint=f"migrator init {root}",
        )
    return run


def _invalid(error: msgspec.ValidationError, text: str) -> ConfigurationError:
    """What msgspec found, with the line where the key stands and the keys that there are."""
    found = _AT_PATH.match(str(error))
    what, path = (found["what"], found["path"] or "") if found else (str(error), "")
    keys = re.findall(r"\.([A-Za-z_]\w*)", path)
    unknown = re.search(r"unknown field `([^`]+)`", what)
    known = {"run": Run, "propose": Demands}.get(keys[0] if keys else "", Settings)
    hint = "see docs/init.md for the keys"
    if unknown:
        keys.append(unknown.group(1))
        hint = "known keys: " + ", ".join(sorted(known.__struct_fields__))
    where = ".".join(["tool.migrator", *keys])
    return ConfigurationError(
        f"{where}: {what}", place=Place(FILE, _line_of(text, keys)), hint=hint
    )


def _line_of(text: str, keys: list[str]) -> int:
    """The line of `[tool.migrator]`'s key in the text; of the nearest table where it is missing."""
    nearest = 0
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if header:
            table = [part.strip().strip("\"'") for part in header.group(1).split(".")]
            if table[:2] == ["tool", "migrator"] and keys[: len(table) - 2] == table[2:]:
                nearest = number
                if len(table) - 2 == len(keys):
                    return number
        elif table[:2] == ["tool", "migrator"] and keys[: len(table) - 2] == table[2:]:
            rest = keys[len(table) - 2 :]
            if rest and re.match(rf"""\s*["']?{re.escape(rest[0])}["']?\s*[.=]""", line):
                return number
    return nearest

"""Prints `model.distributions.Installed` as JSON.

Runs in the environment that it tells of, on its interpreter (Python 3.8 on) and without migrator:
standard library only.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from importlib import metadata
from pathlib import Path


def imports_of(distribution: metadata.Distribution) -> list[str]:
    """Importable top-level names: from its list of files, or `top_level.txt` without one."""
    names = set()
    for file in distribution.files or ():
        top = file.parts[0]
        if top in ("..", "__pycache__") or top.endswith((".dist-info", ".egg-info", ".pth")):
            continue
        if len(file.parts) > 1:
            if file.suffix in (".py", ".so", ".pyd", ".pyi"):
                names.add(top)
        elif file.suffix in (".py", ".so", ".pyd"):
            names.add(top.split(".")[0])
    if not names:
        names.update((distribution.read_text("top_level.txt") or "").split())
    return sorted(name for name in names if name.isidentifier())


def loads(distribution: metadata.Distribution) -> list[str]:
    """Top-level names that its modules import as they are loaded, whether it says so or not."""
    names: set[str] = set()
    for file in distribution.files or ():
        if (
            file.suffix != ".py"
            or file.parts[0] in _SETUPTOOLS
            or _OF_TESTS.intersection(file.parts)
        ):
            continue
        try:
            text = Path(str(distribution.locate_file(file))).read_bytes()
        except OSError:
            continue
        names.update((match[1] or match[2]).decode() for match in _LOADED.finditer(text))
    return sorted(names - set(imports_of(distribution)) - _STANDARD)


_LOADED = re.compile(
    rb"^(?:(?:from|import)[ \t]+(\w+)|[ \t]+(?:from|import)[ \t]+(pkg_resources)\b)", re.MULTILINE
)
"""Imports that no `try` and no function encloses; `pkg_resources` may be wanted later, too."""
_OF_TESTS = frozenset({"test", "tests", "testing", "conftest.py"})
_STANDARD = frozenset(getattr(sys, "stdlib_module_names", sys.builtin_module_names))
_SETUPTOOLS = ("..", "pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")


def told(distribution: metadata.Distribution) -> dict[str, object]:
    entries = [(entry.group, entry.name) for entry in distribution.entry_points]
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    return {
        "name": distribution.metadata["Name"],
        "version": distribution.version,
        "imports": imports_of(distribution),
        "requires": list(distribution.requires or ()),
        "scripts": sorted(name for group, name in entries if group == "console_scripts"),
        "plugs_into": sorted({group for group, _ in entries if group != "console_scripts"}),
        "loads": loads(distribution),
        "url": origin.get("url", ""),
    }


def main() -> None:
    found: dict[str, metadata.Distribution] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution)
    print(
        json.dumps(
            {
                "python": os.path.abspath(sys.executable),
                "version": platform.python_version(),
                "distributions": [told(found[name]) for name in sorted(found)],
            }
        )
    )


main()

"""The versions that a lock file of uv or Poetry names for what a project depends on."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from migrator.operation.guess.project import Project

FILES = ("uv.lock", "poetry.lock")


def locked_beside(project: Project, pyproject: dict[str, Any]) -> tuple[list[str], str]:
    """Pins of all that the project's own dependencies lead to, and the file that has them.

    What is needed only under some condition (another system, another Python), in tests or for an
    extra is left to the installer, and so is a package that is locked in several versions.
    """
    for file in FILES:
        if project.is_file(file):
            try:
                packages = tomllib.loads(project.text(file)).get("package", [])
            except tomllib.TOMLDecodeError:
                return [], ""
            return _pins(packages, _declared(pyproject)), file
    return [], ""


def _pins(packages: list[dict[str, Any]], declared: list[str]) -> list[str]:
    versions: dict[str, set[str]] = {}
    needs: dict[str, list[str]] = {}
    for package in packages:
        name = _normal(package["name"])
        from_index = "registry" in package.get("source", {"registry": ""})
        if from_index and package.get("version"):
            versions.setdefault(name, set()).add(package["version"])
        needs.setdefault(name, []).extend(_unconditional(package.get("dependencies", ())))
    found: set[str] = set()
    waiting = list(declared)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(needs.get(name, ()))
    return [
        f"{name}=={version}"
        for name in sorted(found)
        if len(versions.get(name, ())) == 1
        for version in versions[name]
    ]


def _unconditional(dependencies: Any) -> list[str]:
    if isinstance(dependencies, dict):  # Poetry's
        return [
            _normal(name)
            for name, stated in dependencies.items()
            if not (isinstance(stated, dict) and ("markers" in stated or stated.get("optional")))
        ]
    return [_normal(each["name"]) for each in dependencies if "marker" not in each]


def _declared(pyproject: dict[str, Any]) -> list[str]:
    stated = [
        each for each in pyproject.get("project", {}).get("dependencies", []) if ";" not in each
    ]
    poetry = pyproject.get("tool", {}).get("poetry", {}).get("dependencies", {})
    names = [re.split(r"[^\w.-]", each.strip(), maxsplit=1)[0] for each in stated]
    return [_normal(name) for name in (*names, *_unconditional(poetry)) if name != "python"]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

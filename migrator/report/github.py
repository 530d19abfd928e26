"""Workflow commands of GitHub Actions: `::error file=...,line=...::message`, one a line.

Characters are escaped as `@actions/core` does: https://github.com/actions/toolkit, command.ts.
"""

from __future__ import annotations

from collections.abc import Sequence

from migrator.report.annotation import Annotation

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(annotations: Sequence[Annotation]) -> str:
    """One command for each annotation."""
    return "".join(_command(each) + "\n" for each in annotations)


def _command(each: Annotation) -> str:
    properties = {
        "file": each.file,
        "line": str(each.line) if each.line else "",
        "title": each.rule,
    }
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    message = f"{each.message}\nnext: {each.hint}" if each.hint else each.message
    return f"::{_COMMANDS[each.level]} {given}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

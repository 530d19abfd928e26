"""The report for programs; `version` at the top says which shape it has."""

from __future__ import annotations

import json

import msgspec

from migrator.report.content import Content

SUFFIX = ".json"


def render(content: Content) -> str:
    """The content as indented JSON, sorted."""
    plain = msgspec.to_builtins(content, str_keys=True)
    return json.dumps(plain, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

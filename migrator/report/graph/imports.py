"""The imports between modules of the project: `{"importer": ["imported", ...]}`."""

from __future__ import annotations

import json


def render(imports: dict[str, set[str]]) -> str:
    """Every module is a key, with what it imports in order of the names."""
    ordered = {importer: sorted(imported) for importer, imported in sorted(imports.items())}
    return json.dumps(ordered, indent=1) + "\n"

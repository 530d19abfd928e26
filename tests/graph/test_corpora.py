"""Real applications analyse to the end; what is found in them is held as a snapshot.

The snapshot is `golden/corpora.json`; `MIGRATOR_SNAPSHOT=1` writes what was found into it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from migrator.graph.build import build_graph
from migrator.model.graph import EdgeKind
from migrator.model.progress import Silent
from migrator.model.settings import Settings

REPOSITORY = Path(__file__).parent.parent.parent
SNAPSHOT = Path(__file__).parent / "golden" / "corpora.json"
DOWNLOADS = Path(
    os.environ.get("MIGRATOR_CORPORA", Path(tempfile.gettempdir()) / "migrator-corpora")
)


def corpora() -> ModuleType:
    path = REPOSITORY / "benchmarks" / "corpora.py"
    specification = importlib.util.spec_from_file_location("corpora", path)
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def counts(root: Path) -> dict[str, Any]:
    """What people would look at first: is anything lost, does anything look wrong?"""
    graph = build_graph(root, Settings(), Silent())
    program = graph.program
    return {
        "modules": len(program.modules),
        "lines": program.lines,
        "skipped": sorted(f"{each.file}: {each.reason}" for each in program.skipped),
        "functions": len(program.functions),
        "classes": len(program.classes),
        "frameworks": program.frameworks,
        "entry points": dict(
            sorted(Counter(entry.kind for entry in program.entry_points.values()).items())
        ),
        "url rules": sum(len(entry.routes) for entry in program.entry_points.values()),
        "tables": len(program.tables),
        "foreign keys": sum(
            bool(column.references) for table in program.tables.values() for column in table.columns
        ),
        "routes that write": sum(
            bool(entry.writes) for entry in program.entry_points.values() if entry.kind == "route"
        ),
        "edges": {
            kind.name.lower(): count
            for kind in EdgeKind
            if (count := sum(1 for _ in graph.edges(kind)))
        },
    }


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(json.loads(SNAPSHOT.read_text())))
def test_real_applications_analyse_to_the_end(name: str) -> None:
    source = corpora()
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    try:
        root = source.unpack(name, DOWNLOADS)
    except source.Unreachable as error:
        pytest.skip(f"no package index: {error}")
    found = counts(root)
    held = json.loads(SNAPSHOT.read_text())
    if os.environ.get("MIGRATOR_SNAPSHOT"):
        held[name] = found
        SNAPSHOT.write_text(json.dumps(dict(sorted(held.items())), indent=2) + "\n")
    assert found == held[name]

"""Which module a command of `[tool.migrator.run.processes]` runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from migrator.facts.project import ProjectFacts
from migrator.graph.frameworks.processes import module_run


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("python -m shop.worker --once", "shop.worker"),
        ("python -m shop", "shop.__main__"),
        ("env/bin/python jobs/nightly.py 3", "nightly"),
        ("python ./jobs/nightly.py", "nightly"),
        ("celery -A shop worker", ""),
        ("python -m gunicorn shop:app", ""),
        ("python -m", ""),
        ("python 'unclosed", ""),
    ],
)
def test_module_run(command: str, module: str) -> None:
    files = {
        "shop": "shop/__init__.py",
        "shop.__main__": "shop/__main__.py",
        "shop.worker": "shop/worker.py",
        "nightly": "jobs/nightly.py",
    }
    modules = {name: SimpleNamespace(file=file) for name, file in files.items()}
    facts = ProjectFacts(root=Path("/p"), source_roots=["."], modules=modules)  # type: ignore[arg-type]
    assert module_run(facts, command) == module

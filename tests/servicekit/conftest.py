from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from two_services import Service, System

sys.path.insert(0, str(Path(__file__).parents[2] / "templates" / "service"))


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One running system for all tests that leave it as they found it."""
    with System(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """The files of one service, migrated, with no process running."""
    made = System(tmp_path).orders
    made.migrate()
    return made

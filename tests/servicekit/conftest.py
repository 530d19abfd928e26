from __future__ import annotations

from collections.abc import Iterator

import pytest
from system import System


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One running system for all tests that leave it as they found it."""
    with System(tmp_path_factory.mktemp("system")) as running:
        yield running


@pytest.fixture
def own_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A running system that the test may break."""
    with System(tmp_path_factory.mktemp("own")) as running:
        yield running

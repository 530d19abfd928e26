"""Whole call graphs of small programs, one for each way of calling something, as they are written
and in disguise: with other names, and with independent definitions in the opposite order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from disguise import Disguise

from migrator.graph.build import CALL_PASSES, build_graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings
from migrator.report.graph.pycg import adjacency

GOLDEN = Path(__file__).parent / "golden"

Calls = dict[str, set[str]]


class Case(NamedTuple):
    name: str
    files: dict[str, str]
    calls: Calls


def _cases(path: Path) -> Iterator[Case]:
    for text in re.split(r"^CASE ", path.read_text(), flags=re.MULTILINE)[1:]:
        source, _, expected = text.partition("\nCALLS\n")
        name, *files = re.split(r"^FILE ", source, flags=re.MULTILINE)
        parts = [each.partition("\n") for each in files]
        calls = {
            caller: set(callees.split())
            for caller, _, callees in (each.partition(": ") for each in expected.splitlines())
            if caller
        }
        yield Case(name.strip(), {path: body + "\n" for path, _, body in parts}, calls)


CASES = [*_cases(GOLDEN / "categories.txt"), *_cases(GOLDEN / "language.txt")]


def calls_of(root: Path, files: dict[str, str]) -> Calls:
    for path, body in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(body)
    graph = build_graph(root, Settings(), Silent(), CALL_PASSES)
    return {caller: set(callees) for caller, callees in adjacency(graph).items() if callees}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_whole_call_graph(case: Case, tmp_path: Path) -> None:
    assert calls_of(tmp_path, case.files) == case.calls


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_neither_names_nor_order_matter(case: Case, tmp_path: Path) -> None:
    # What is set through a name like `cls` is looked for on classes: that name is a convention.
    disguise = Disguise(case.files, kept=["cls"])
    expected = {
        disguise.name(caller): {disguise.name(callee) for callee in callees}
        for caller, callees in case.calls.items()
    }
    assert calls_of(tmp_path, disguise.files(case.files)) == expected


def test_a_disguise_changes_all_names_and_the_order() -> None:
    text = "import os\ndef one(first): return os.path.join(first)\ndef two(): one(first='x')\n"
    (path, disguised), *_ = Disguise({"desk.py": text}).files({"desk.py": text}).items()
    assert not set(re.findall(r"\w+", path + disguised)) & {"desk", "one", "two", "first"}
    assert "os.path.join" in disguised
    assert disguised.index("return") > disguised.index("'x'")

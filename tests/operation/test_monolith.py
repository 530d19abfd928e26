from __future__ import annotations

import hashlib
import shutil
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from migrator.facts.settings import load_run
from migrator.model.errors import OperationError
from migrator.operation.application import Placeholders, search_path
from migrator.operation.monolith import RunningMonolith, read_installed, read_schema
from migrator.operation.start_state import make_start_state
from migrator.operation.suite import count_tests, failed_tests

LENDING = Path(__file__).parents[1] / "assets/lending"


@pytest.fixture(scope="module")
def lending(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("assets") / "lending"
    shutil.copytree(LENDING, root, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    return root


def tree(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and ".migrator" not in path.parts
    }


def test_it_runs_is_tested_and_leaves_its_tree_alone(lending: Path, tmp_path: Path) -> None:
    before = tree(lending)
    run = load_run(lending)
    start = make_start_state(lending, run, tmp_path / "start")
    with RunningMonolith(lending, run, tmp_path / "run", start_state=start) as monolith:
        assert "garden: 1" in requests.get(monolith.base_url, timeout=5).text
        suite = monolith.run_tests(arguments="-k 'borrow or round'")
        assert suite.passed, suite.log.read_text()
        assert suite.counts["passed"] >= 3
        with sqlite3.connect(monolith.database) as connection:
            assert connection.execute("SELECT COUNT(*) FROM loan").fetchone()[0] >= 2
    with pytest.raises(requests.ConnectionError):
        requests.get(monolith.base_url, timeout=5)
    with sqlite3.connect(start.database) as connection:
        assert connection.execute("SELECT COUNT(*) FROM loan").fetchone() == (0,)
    assert tree(lending) == before


def test_schema_and_distributions(lending: Path) -> None:
    run = load_run(lending)
    schema = read_schema(lending, run)
    assert {each.name for each in schema.objects} == {
        *("borrower", "journal", "tool", "repair", "loan", "fee")
    }
    kept = next((lending / ".migrator").glob("schema-*.json"))
    kept.write_bytes(kept.read_bytes().replace(b'"fee"', b'"kept"'))
    assert "kept" in {each.name for each in read_schema(lending, run).objects}
    names = {each.name.lower() for each in read_installed(lending, run).distributions}
    assert {"flask", "sqlalchemy", "gunicorn"} <= names


PLACES = """

@app.get("/places")
def places():
    made = [Note(id=number) for number in range(400)]
    return jsonify([id(each) for each in made])
"""


def test_objects_lie_at_places_without_an_order(notes: Path, tmp_path: Path) -> None:
    source = notes / "pages.py"
    text = source.read_text()
    run = load_run(notes)
    start = make_start_state(notes, run, tmp_path / "start")
    source.write_text(text + PLACES)
    try:
        with RunningMonolith(
            notes, run, tmp_path / "run", start_state=start, scattered=True
        ) as monolith:
            places = requests.get(f"{monolith.base_url}/places", timeout=9).json()
    finally:
        source.write_text(text)
    upwards = sum(one < other for one, other in pairwise(places))
    assert 120 < upwards < 280, upwards


def test_a_start_that_fails_says_why(notes: Path, tmp_path: Path) -> None:
    source = notes / "pages.py"
    text = source.read_text()
    run = load_run(notes)
    start = make_start_state(notes, run, tmp_path / "start")
    source.write_text("import nowhere_to_be_found\n" + text)
    try:
        with pytest.raises(OperationError, match="web ended") as caught:
            RunningMonolith(notes, run, tmp_path / "run", start_state=start).__enter__()
        assert "nowhere_to_be_found" in caught.value.log_tail
        with pytest.raises(OperationError, match="`migrate` ended with code 1"):
            make_start_state(notes, run, tmp_path / "other")
    finally:
        source.write_text(text)


def test_a_database_variable_that_nobody_reads(notes: Path, tmp_path: Path) -> None:
    settings = notes / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(
        text.replace('"NOTES_DATABASE"', '"OTHER"').replace(
            'PAPER = "{data}/paper.txt"', 'NOTES_DATABASE = "sqlite:///{data}/x.db"'
        )
    )
    try:
        with pytest.raises(OperationError, match="no table in the database that OTHER names"):
            make_start_state(notes, load_run(notes), tmp_path / "start")
    finally:
        settings.write_text(text)


def test_placeholders() -> None:
    given = Placeholders(data=Path("/d"), base_url="http://h:1", port=7)
    filled = given.fill('{data}/x {base_url}/y {port} {"json": {port:a}} {port:b} {port:a} {other}')
    a, b = given.ports["a"], given.ports["b"]
    assert a != b
    assert filled == f'/d/x http://h:1/y 7 {{"json": {a}}} {b} {a} {{other}}'


def test_modules_below_src_are_found(tmp_path: Path, notes: Path) -> None:
    (tmp_path / "src/pages").mkdir(parents=True)
    assert search_path(tmp_path, load_run(notes)) == [tmp_path / "src", tmp_path]


@pytest.mark.parametrize(
    ("output", "counts"),
    [
        ("..F\n1 failed, 17 passed, 2 errors in 3.20s\n", {"failed": 1, "passed": 17, "error": 2}),
        ("==== 18 passed, 1 warning in 1.11s ====", {"passed": 18}),
        (
            "Ran 5 tests in 0.1s\n\nFAILED (failures=1, errors=1)",
            {"failed": 1, "error": 1, "passed": 3},
        ),
        ("Segmentation fault", {}),
    ],
)
def test_counting_tests(output: str, counts: dict[str, int]) -> None:
    assert count_tests(output) == counts


NEWMAN = """
  \x1b[32m✓ \x1b[39m\x1b[90mResponse code is 200 OK\x1b[39m
  1. Feed is empty

│              iterations │                 1 │                 0 │
├─────────────────────────┼───────────────────┼───────────────────┤
│              assertions │                12 │                 2 │
├─────────────────────────┴───────────────────┴───────────────────┤

\x1b[31m  # \x1b[39m\x1b[31m failure        \x1b[39m\x1b[31m detail             \x1b[39m

 1.  AssertionError  Response code is 200 OK
                     expected false to be truthy
                     at assertion:0 in test-script
                     inside "Articles / Feed"

 2.  AssertionError  The first tag is new
                     at assertion:14 in test-script
                     inside "Articles / By tag"
"""


def test_assertions_of_newman_are_counted_and_named() -> None:
    assert count_tests(NEWMAN) == {"passed": 10, "failed": 2}
    assert failed_tests(NEWMAN) == [
        "Articles / Feed: Response code is 200 OK",
        "Articles / By tag: The first tag is new",
    ]

"""A generated service without the others: its own tests, and working on it under a debugger."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bakery
import pytest

from migrator.generation.generate import generate
from migrator.model.progress import Silent
from migrator.operation.environment import make_environment

ASSETS = Path(__file__).parents[1] / "assets"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("alone") / "services"
    generate(
        bakery.graph(),
        bakery.plan(),
        bakery.SETTINGS,
        output,
        schema=bakery.schema(),
        installed=bakery.installed(),
    )
    return output


def run_own_tests(service: Path, folder: Path) -> str:
    """Copy a service into an empty folder and run its tests in an environment of its own."""
    lonely = Path(shutil.copytree(service, folder / service.name))
    environment = make_environment(
        folder / "environments",
        "python3",
        ["-r requirements.txt"],
        lonely,
        Silent(),
        hashes=True,
    )
    done = subprocess.run(
        [environment.python, "-m", "unittest", "discover", "-s", "tests"],
        cwd=lonely,
        env={"PATH": f"{environment.python.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_the_smallest_service_is_tested_in_an_environment_of_its_own(
    services: Path, tmp_path: Path
) -> None:
    lines = {
        folder.parent: json.loads(folder.read_text())["lines"]
        for folder in services.glob("*/service.json")
    }
    told = run_own_tests(min(lines, key=lambda service: lines[service]), tmp_path)
    assert "Ran 13 tests" in told


@pytest.mark.slow
def test_every_service_is_tested_in_an_environment_of_its_own(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(
        ASSETS / "lending", app, ignore=shutil.ignore_patterns(".migrator", "__pycache__")
    )
    for verb in (["propose", app], ["generate", app, "-o", tmp_path / "services"]):
        subprocess.run([sys.executable, "-m", "migrator", *map(str, verb)], check=True)
    found = sorted(path.parent for path in (tmp_path / "services").glob("*/service.json"))
    assert len(found) >= 3
    for service in found:
        assert "OK" in run_own_tests(service, tmp_path / f"alone-{service.name}")


@contextmanager
def alone(service: Path, data: Path) -> Iterator[tuple[str, Path]]:
    """`servicekit.alone` as an IDE starts it; its address and what it says."""
    log = data.parent / f"{data.name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "servicekit.alone", "--port", "0", "--data", str(data)],
            cwd=service / "src",
            env={n: v for n, v in os.environ.items() if not n.startswith("SERVICE_")},
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said.startswith("alone at "), log.read_text()
        yield said.split()[-1], log
    finally:
        process.terminate()
        process.wait(20)


def asked(url: str, **form: str) -> tuple[int, object]:
    data = urllib.parse.urlencode(form).encode() if form else None
    try:
        with urllib.request.urlopen(url, data=data, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_a_service_runs_alone_against_recorded_answers(services: Path, tmp_path: Path) -> None:
    service = Path(shutil.copytree(services / "baking", tmp_path / "baking"))
    columns = ["id", "name", "stamps"]
    ann = {"class": "bakery.models:Regular", "key": [1], "values": {}}
    stamped = {
        "results": [{"$entity": ann}],
        "actions": ["commit"],
        "open": False,
        "changed": [],
        "keys": [],
        "epoch": "theirs",
        "head": 8,
    }
    said = [
        {"head": 6},
        {"batch": {"table": "regulars", "columns": columns, "rows": []}},
        # She came while it was recorded, and nobody here had a part in it.
        {
            "event": {
                "seq": 7,
                "table": "regulars",
                "op": "I",
                "old_key": None,
                "data": ["1", "'Ann'", "3"],
            },
            "columns": columns,
        },
        {
            "event": {
                "seq": 8,
                "table": "regulars",
                "op": "U",
                "old_key": ["1"],
                "data": ["1", "'Anna'", "4"],
            },
            "columns": columns,
        },
        {
            "call": "bakery.regulars.stamp",
            "known": 7,
            "items": [],
            "status": 200,
            "answer": stamped,
        },
    ]
    recorded = service / "recorded"
    recorded.mkdir()
    (recorded / "own.sql").write_text(
        'INSERT INTO "cakes" ("id", "regular_id", "icing") VALUES (5, 1, \'it\'\'s; pink\');\n'
    )
    (recorded / "siblings.jsonl").write_text(
        "".join(json.dumps({"owner": "people", **each}) + "\n" for each in said)
    )
    with alone(service, tmp_path / "data") as (url, log):
        assert asked(f"{url}/cakes/of/1") == (200, [{"id": 5, "for": "Ann"}])
        # The call is answered as it was, and what it changed at its owner is seen from then on.
        assert asked(f"{url}/cakes/", regular="1", icing="blue") == (201, {"id": 6})
        assert asked(f"{url}/cakes/of/1")[1] == [
            {"id": 5, "for": "Anna"},
            {"id": 6, "for": "Anna"},
        ]
        assert "nobody asked bakery.regulars.stamp with" in log.read_text()
    # What was written is kept where that was asked for; the copies begin anew.
    with alone(service, tmp_path / "data") as (url, _):
        assert asked(f"{url}/cakes/of/1")[1] == [{"id": 5, "for": "Ann"}, {"id": 6, "for": "Ann"}]


def test_a_call_that_nobody_recorded_is_answered_with_503(services: Path, tmp_path: Path) -> None:
    service = Path(shutil.copytree(services / "baking", tmp_path / "baking"))
    (service / "recorded").mkdir()
    (service / "recorded/siblings.jsonl").write_text(
        json.dumps(
            {
                "owner": "people",
                "batch": {
                    "table": "regulars",
                    "columns": ["id", "name", "stamps"],
                    "rows": [["1", "'Ann'", "3"]],
                },
            }
        )
        + "\n"
    )
    with alone(service, tmp_path / "data") as (url, log):
        assert asked(f"{url}/cakes/", regular="1", icing="blue")[0] == 503
        assert "no answer of people to bakery.regulars.stamp was recorded" in log.read_text()

"""The whole road on a tiny monolith: analyze, propose, generate, up, verify, report."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LENDING = Path(__file__).parent.parent / "assets" / "lending"


def migrator(*arguments, code=0, seconds=280):
    done = subprocess.run(
        [sys.executable, "-m", "migrator", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert code is None or done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    app = folder / "app"
    shutil.copytree(LENDING, app, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    migrator("analyze", app)
    migrator("propose", app)
    migrator("generate", app, "-o", folder / "services")
    return folder


def test_the_services_are_proven(road):
    out = migrator("verify", road / "app", "--services", road / "services", "--json")
    proof = json.loads(out)
    assert len(proof["services"]) >= 2
    assert [each["processes"] for each in proof["comparisons"]] == [1, 2]
    for compared in proof["comparisons"]:
        assert compared["equal"] == compared["requests"] > 100
        assert compared["tests"]["passed"] == proof["monolith_tests"]["passed"] >= 15
        assert compared["table_differences"] == compared["replica_differences"] == []
    assert [each["name"] for each in proof["checks"] if not each["passed"]] == []
    assert len(proof["checks"]) == 7


def test_the_report_tells_of_it(road):
    migrator("report", road / "app", "-o", road / "report")
    assert "proven" in (road / "report" / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.timeout(1600)
def test_faults_on_purpose_are_caught(road):
    """Of 20 faults in the generated services at least 19 are noticed."""
    arguments = ("--services", road / "services", "--inject-faults", 20, "--json")
    report = json.loads(migrator("verify", road / "app", *arguments, code=None, seconds=1500))
    assert len(report["caught"]) + len(report["missed"]) >= 15
    assert len(report["missed"]) <= 1, report["missed"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_service_beside_the_remainder_is_proven(road, tmp_path):
    app = tmp_path / "app"
    shutil.copytree(LENDING, app, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    migrator("propose", app, "--first", "people")
    migrator("generate", app, "-o", tmp_path / "services")
    proof = json.loads(migrator("verify", app, "--services", tmp_path / "services", "--json"))
    assert sorted(proof["services"]) == ["people", "remainder"]

"""The whole road on a tiny monolith: analyze, propose, generate, up, verify, report."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from migrator.facts.settings import load_run
from migrator.proof.verify import changed_settings

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


VISIT = """
import json, re, sys, urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode

browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

def ask(path, body=None, form=None):
    data = urlencode(form).encode() if form else json.dumps(body).encode() if body else None
    kind = "application/x-www-form-urlencoded" if form else "application/json"
    request = urllib.request.Request(sys.argv[1] + path, data, {"Content-Type": kind})
    try:
        return browser.open(request, timeout=20).read().decode()
    except urllib.error.HTTPError as error:
        return error.read().decode()

ask("/borrowers", {"card": "R1", "name": "Ida Holm", "pin": "hunter2"})
ask("/card", form={"card": "R1", "pin": "hunter2"})
for kind in ("power", "garden"):
    tool = json.loads(ask("/tools", {"name": f"Best of {kind}", "kind": kind}))["id"]
    loan = json.loads(ask("/loans", {"tool": tool}))["id"]
    ask(f"/tools/{tool}")
    ask(f"/loans/{loan}/back", {"broken": True})
ask("/")
ask("/round")
ask("/borrowers/R1")
ask("/card", form={"card": "N100", "pin": "4711"})
ask("/")
"""


def test_recorded_traffic_is_asked_of_both_sides(road):
    """No test of the application is needed: what a visitor asked once is asked again."""
    app, traffic, secrets = road / "app", road / "traffic.jsonl", road / "secrets.json"
    (road / "visit.py").write_text(VISIT)
    visit = ("--", sys.executable, road / "visit.py", "{base_url}")
    told = json.loads(
        migrator("record", app, "-o", traffic, "--secrets", secrets, "--json", *visit)
    )
    assert told["requests"] == 17
    assert told["secrets"] == 2
    assert told["bound"] >= 15
    assert "hunter2" not in traffic.read_text()
    assert "4711" not in traffic.read_text()
    arguments = ("--services", road / "services", "--replay", traffic, "--secrets", secrets)
    quick = ("--quick", "--processes", "2", "--json")
    proof = json.loads(migrator("verify", app, *arguments, *quick))
    (compared,) = proof["comparisons"]
    assert compared["equal"] == compared["requests"] > 17
    assert compared["tests"] == {**compared["tests"], "passed": 17, "total": 17, "failed": []}


def test_settings_that_changed_since_are_named(road):
    run = load_run(road / "app")
    assert changed_settings(run, road / "services") == []
    other = {**run.environment, "MAIL_HOST": "127.0.0.1"}
    other["TOOLSHED_SECRET"] = "another"
    changed = msgspec.structs.replace(run, environment=other)
    assert changed_settings(changed, road / "services") == ["MAIL_HOST", "TOOLSHED_SECRET"]


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
def test_no_fault_is_caught_where_services_differ_without(road, tmp_path):
    shutil.copytree(road / "services", tmp_path / "services", symlinks=True)
    (page,) = (tmp_path / "services").glob("bench/src/workshop/shelf.py")
    page.write_text(page.read_text().replace("tool.deposit_cents / 100", "tool.deposit_cents / 99"))
    arguments = ("--services", tmp_path / "services", "--inject-faults", 1, "--json")
    told = json.loads(migrator("verify", road / "app", *arguments, code=1))
    assert "differ without any fault" in told["errors"][0]["message"]


@pytest.mark.slow
def test_one_service_beside_the_remainder_is_proven(road, tmp_path):
    app = tmp_path / "app"
    shutil.copytree(LENDING, app, ignore=shutil.ignore_patterns(".migrator", "__pycache__"))
    migrator("propose", app, "--first", "people")
    migrator("generate", app, "-o", tmp_path / "services")
    proof = json.loads(migrator("verify", app, "--services", tmp_path / "services", "--json"))
    assert sorted(proof["services"]) == ["people", "remainder"]

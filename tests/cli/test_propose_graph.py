"""`propose --from-graph` and demands, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from migrator.cli.main import main

CALLS = {
    "Root--Orders": 5,
    "Orders--OrderStore": 40,
    "OrderStore--Order": 90,
    "Mails--MailStore": 12,
    "MailStore--Mail": 80,
    "Orders--Mails": 1,
}


@pytest.fixture
def calls(tmp_path: Path) -> str:
    path = tmp_path / "calls.json"
    path.write_text(json.dumps(CALLS))
    return str(path)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit:
        main(["propose", *arguments])
    return int(exit.value.code or 0)


def test_the_partition_is_a_file_and_scores_are_on_stderr(
    calls: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "partition.json"
    assert run("--from-graph", calls, "--services", "2", "-o", str(output)) == 0
    partition = json.loads(output.read_text())
    assert list(partition) == ["Mail", "MailStore", "Mails", "Order", "OrderStore", "Orders"]
    assert partition["Mail"] == partition["Mails"] != partition["Orders"]
    said = capsys.readouterr()
    assert said.out.strip() == str(output)
    assert "SM   structural modularity" in said.err and "BCP" not in said.err
    assert "signal left out: transactions: no transaction ties several classes" in said.err
    assert "tied to nothing" not in said.err
    assert run("--from-graph", calls, "-o", str(output)) == 2
    assert run("--from-graph", calls, "-o", str(output), "--force") == 0


def test_classes_that_nothing_ties_to_another_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"A--B": 3, "Root--Lonely": 1}))
    assert run("--from-graph", str(path)) == 0
    said = capsys.readouterr().err
    assert "tied to nothing: Lonely: put where the fewest classes are" in said


def test_json_has_scores_and_use_cases_add_one(
    calls: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = tmp_path / "cases.json"
    cases.write_text(json.dumps({"Order": ["buy", "look"], "Mail": ["buy"]}))
    assert run("--from-graph", calls, "--use-cases", str(cases), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["measures"]["bcp"] > 0
    assert run("--from-graph", calls) == 0
    assert json.loads(capsys.readouterr().out) == found["partition"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--first", "Order"], "--first does not go with --from-graph"),
        (["--leave", "Order"], "--leave does not go with --from-graph"),
        (["--weight", "calls=much"], "--weight calls=much"),
        (["--weight", "cals=1"], "no signal cals"),
        (["--services", "many"], "--services many"),
        (["--own", "a=Order", "--own", "b=Order"], "Order is to be of a and of b"),
    ],
)
def test_what_cannot_be_followed_is_said_with_a_hint(
    calls: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--from-graph", calls, *arguments) == 2
    error = capsys.readouterr().err
    assert message in error and "next:" in error


def test_use_cases_need_a_graph(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(tmp_path), "--use-cases", "cases.json") == 2
    assert "--from-graph" in capsys.readouterr().err


def test_one_partition_leads_to_asking_for_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"A--B": 3, "B--C": 3, "C--A": 3}))
    assert run("--from-graph", str(path)) == 0
    assert "one partition: " in (said := capsys.readouterr().err)
    assert "next: `--services 2`" in said
    assert run("--from-graph", str(path), "--services", "2") == 0
    assert "one partition" not in capsys.readouterr().err

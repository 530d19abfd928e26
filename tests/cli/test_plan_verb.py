"""`migrator plan` as it is typed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from migrator.cli.main import main
from migrator.plan.store import FILE_NAME

sys.path.insert(0, str(Path(__file__).parents[1] / "plan"))

from monolith_sketch import sketch
from shop_sketch import SHOP

Run = Callable[..., int]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for verb in ("propose", "plan"):
        monkeypatch.setattr(f"migrator.cli.{verb}.current_graph", lambda *_: sketch(SHOP))
    monkeypatch.chdir(tmp_path)

    def typed(*arguments: str) -> int:
        with pytest.raises(SystemExit) as stopped:
            main(list(arguments))
        return int(stopped.value.code or 0)

    return typed


def test_before_anything_was_proposed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "compare") == 2
    assert "`migrator propose`" in capsys.readouterr().err


def test_proposals_and_the_plan_stand_beside_each_other(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("propose", "--proposal", "independent")
    capsys.readouterr()
    assert run("plan", "compare") == 0
    lines = capsys.readouterr().out.splitlines()
    names = ["whole-transactions", "fewest", "independent", "one-service", "plan"]
    assert lines[0].split() == names
    waiting = next(line for line in lines if line.startswith("calls that cross"))
    figures = dict(zip(names, waiting.split()[3:], strict=True))
    assert figures["independent"] == figures["plan"] == "0" != figures["whole-transactions"]
    assert max(map(len, lines)) <= 100
    assert run("plan", "compare", "fewest", FILE_NAME, "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"fewest", FILE_NAME}


def test_what_an_edit_changed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("propose")
    capsys.readouterr()
    assert run("plan", "diff", "whole-transactions") == 0
    assert capsys.readouterr().out == "no difference\n"
    text = Path(FILE_NAME).read_text().replace("  mail:\n", "  post:\n")
    Path(FILE_NAME).write_text(text)
    assert run("plan", "diff", "whole-transactions") == 0
    assert "service mail is called post" in capsys.readouterr().out
    assert run("plan", "diff", "whole-transactions", "one-service", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["difference"]["removed"] and told["scores"][0]["label"] == "services"
    assert run("plan", "diff", "whole-transactions", "smallest") == 2
    assert "one of: fewest, independent" in capsys.readouterr().err


def test_the_roadmap_and_maturity(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run("propose")
    capsys.readouterr()
    assert run("plan", "roadmap") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1. own the tables"
    assert max(map(len, lines)) <= 100
    assert sum(line.startswith("   check: migrator ") for line in lines) == 7
    assert run("plan", "roadmap", "one-service", "--json") == 0
    assert [step["step"] for step in json.loads(capsys.readouterr().out)] == [1, 2]
    assert run("plan", "maturity") == 0
    assert capsys.readouterr().out.split()[:3] == ["service", "lines", "tested"]
    assert run("plan", "maturity", "fewest", "--json") == 0
    assert set(json.loads(capsys.readouterr().out)) == {"mail", "members", "orders", "payments"}

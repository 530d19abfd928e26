"""`migrator report` as it is typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from migrator.cli.main import main
from migrator.report.formats import FORMATS
from migrator.report.schema import SCHEMA_FILE

SOURCE = Path(__file__).parents[1] / "assets" / "lending"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exit:
        main(["report", *arguments])
    return int(exit.value.code or 0)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report") / "lending"
    shutil.copytree(SOURCE, made, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    return made


@pytest.fixture(scope="module")
def planned(root: Path) -> Path:
    with pytest.raises(SystemExit) as exit:
        main(["propose", str(root)])
    assert exit.value.code == 0
    return root


def test_without_a_plan_it_tells_of_the_analysis(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(root), "--format", "all", "-o", str(tmp_path)) == 0
    written = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert written == ["report.html", "report.md", "report.json"]
    assert run(str(root), "--format", "c4", "-o", str(tmp_path)) == 2
    assert f"migrator propose {root}" in capsys.readouterr().err


def test_one_file_a_format(
    planned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(planned), "--format", "all", "-o", str(tmp_path)) == 0
    listed = capsys.readouterr().out.splitlines()
    assert listed == [str(tmp_path / f"report{each.suffix}") for each in FORMATS.values()]
    assert sorted(str(each) for each in tmp_path.iterdir()) == sorted(listed)
    some = tmp_path / "some"
    assert run(str(planned), "--format", "sarif", "--format", "dot", "-o", str(some)) == 0
    assert sorted(each.name for each in some.iterdir()) == ["report.dot", "report.sarif"]


def test_json_is_what_the_schema_says_and_holds_the_proposals(
    planned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(planned), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    jsonschema.validate(told, json.loads(SCHEMA_FILE.read_text()))
    assert (
        next(each["name"] for each in told["proposals"] if each["chosen"]) == "whole-transactions"
    )
    assert len(told["proposals"]) >= 3


def test_a_proof_that_is_none_is_named(
    planned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "proof.json"
    assert run(str(planned), "--proof", str(wrong)) == 2
    assert "migrator verify" in capsys.readouterr().err
    wrong.write_text('{"version": "none"}')
    assert run(str(planned), "--proof", str(wrong)) == 2
    assert str(wrong) in capsys.readouterr().err

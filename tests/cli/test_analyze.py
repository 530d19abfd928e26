"""`analyze` and `list` as they are typed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from migrator.cli.main import main

KIOSK = Path(__file__).parents[1] / "assets" / "kiosk"


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("projects") / "kiosk"
    shutil.copytree(KIOSK, root)
    (root / "broken.py").write_text("def (:\n")
    return root


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit:
        main([str(each) for each in arguments])
    return int(exit.value.code or 0)


def answer(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    assert run(*arguments, "--json") == 0
    return json.loads(capsys.readouterr().out)


def test_analyze_says_what_it_found(kiosk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", kiosk) == 0
    out, err = capsys.readouterr()
    assert out.strip() == str(kiosk / ".migrator" / "graph.msgpack")
    assert Path(out.strip()).exists()
    assert "13 route" in err
    assert "skipped broken.py:1" in err
    assert max(len(line.rstrip()) for line in err.splitlines()) <= 100


def test_analyze_as_json(kiosk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = answer(capsys, "analyze", kiosk)
    assert summary["entry_points"] == {"command": 1, "route": 13, "signal": 1}
    assert summary["tables"] == 7
    assert summary["edges"]["writes"]["proven"] > 0
    assert [each["file"] for each in summary["skipped"]] == ["broken.py"]


def test_which_routes_write_a_table(kiosk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = answer(capsys, "list", kiosk, "--writes", "sold_copy")
    assert {row["entry point"] for row in rows} == {"route:shop.buy", "route:shop.paper"}
    (row,) = [row for row in rows if row["how"].startswith("delete")]
    assert row["how"] == "delete cascade Paper.copies"
    assert row["at"] == "kiosk/shop.py:58"


def test_which_routes_read_a_table(kiosk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = answer(capsys, "list", kiosk, "--reads", "ledger")
    assert [row["entry point"] for row in rows] == ["route:desk.book"]


@pytest.mark.parametrize("name", ["route:desk.book", "desk.book", "/desk/ledger"])
def test_what_an_entry_point_does(
    kiosk: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    rows = answer(capsys, "list", kiosk, "--of", name)
    assert ("read", "ledger", False) in {(r["does"], r["table"], r["in hook"]) for r in rows}
    assert ("write", "readers", True) in {(r["does"], r["table"], r["in hook"]) for r in rows}


def test_evidence_is_printed_with_place_and_path(
    kiosk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", kiosk, "--of", "desk.book") == 0
    out = capsys.readouterr().out
    assert "ledger  read query  kiosk/desk/__init__.py:15" in out
    assert "application.count_visit" in out


def test_tables_and_entry_points(kiosk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = {row["table"]: row for row in answer(capsys, "list", kiosk, "--tables")}
    assert tables["sold_copy"]["refers to"] == ["paper", "readers"]
    assert tables["subscribers"]["model"] == "kiosk.models.Subscriber"
    entries = {row["entry point"]: row for row in answer(capsys, "list", kiosk)}
    assert entries["route:shop.buy"]["rules"] == ["POST /shop/papers/<int:paper_id>/buy"]


def test_what_lies_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "app.py").write_text(
        "import os, requests, subprocess\n"
        "def fetch():\n"
        "    subprocess.run(['convert', '-resize'])\n"
        "    return requests.get('https://films.example/' + os.environ['PLACE'])\n"
    )
    assert answer(capsys, "list", tmp_path, "--systems") == [
        {"system": "command convert", "called by": ["app.fetch"]},
        {"system": "http films.example", "called by": ["app.fetch"]},
    ]
    assert answer(capsys, "list", tmp_path, "--environment") == [
        {"key": "PLACE", "read at": ["app.py:4"]}
    ]
    assert answer(capsys, "list", tmp_path, "--distributions") == [
        {"package": "requests", "imported by": ["app"]}
    ]


def test_unknown_names_come_with_the_nearest(
    kiosk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("list", kiosk, "--writes", "ledgr") == 2
    assert "did you mean ledger?" in capsys.readouterr().err
    assert run("list", kiosk, "--of", "shop.by") == 2
    assert "did you mean shop.buy?" in capsys.readouterr().err


def test_a_folder_without_python(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("analyze", tmp_path) == 2
    assert "no Python file" in capsys.readouterr().err
    assert run("analyze", tmp_path / "nowhere") == 2
    assert "is not a folder" in capsys.readouterr().err

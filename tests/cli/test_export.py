"""`export` as it is typed: each format is read back by something else than what wrote it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import networkx
import pytest

from migrator.cli.main import main

KIOSK = Path(__file__).parents[1] / "assets" / "kiosk"

FILES = {
    "shed/__init__.py": "from shed.tools import lend\nfrom . import door\n",
    "shed/door.py": "def opened(): pass\n",
    "shed/tools.py": (
        "from __future__ import annotations\n"
        "from typing import TYPE_CHECKING\n"
        "import os.path\n"
        "if TYPE_CHECKING:\n"
        "    from shed import store\n"
        "def lend(name):\n"
        "    from .store.rows import keep\n"
        "    keep(lambda row: os.path.join(name, row.split()))\n"
        "    lend = [name]\n"
        "    lend.append(len(name))\n"
    ),
    "shed/store/rows.py": (
        "try:\n"
        "    import missing\n"
        "except ImportError:\n"
        "    import shed.door as door\n"
        "def keep(made):\n"
        "    made('a')\n"
        "    door.opened()\n"
    ),
    "other/desk.py": "import shed\nfrom shed import lend as given\ngiven('x')\n",
    "tests/test_desk.py": "from other import desk\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as exit:
        main([str(each) for each in arguments])
    return int(exit.value.code or 0)


def exported(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert run("export", *arguments) == 0
    return capsys.readouterr().out


def test_the_call_graph_has_the_benchmarks_names(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = json.loads(exported(capsys, folder, "--as", "pycg"))
    assert calls["other.desk"] == ["shed.tools.lend"]
    assert calls["shed.tools.lend"] == [
        "<**PyList**>.append",
        "<builtin>.len",
        "shed.store.rows.keep",
    ]
    assert calls["shed.tools.lend.<lambda1>"] == ["<**PyStr**>.split", "os.path.join"]
    assert calls["shed.store.rows.keep"] == ["shed.door.opened", "shed.tools.lend.<lambda1>"]
    assert {name for callees in calls.values() for name in callees} <= set(calls)


def test_imports_wherever_they_stand(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shed" / "worn.py").write_text("def (:\n")
    (folder / "shed" / "door.py").write_text("from . import worn\n")
    assert json.loads(exported(capsys, folder, "--as", "imports")) == {
        "other.desk": ["shed"],
        "shed": ["shed.door", "shed.tools"],
        "shed.door": ["shed.worn"],
        "shed.store.rows": ["shed.door"],
        "shed.tools": ["shed", "shed.store.rows"],
        "shed.worn": [],
        "tests.test_desk": ["other.desk"],
    }


def test_imports_of_type_stubs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads(exported(capsys, folder, "--as", "imports"))
    (folder / "shed" / "door.pyi").write_text("def f():\n    from .lock import Key\n")
    (folder / "shed" / "lock.pyi").write_text("from . import door, tools\nclass Key: ...\n")
    (folder / "shed" / "worn.pyi").write_text("def (:\n")
    after = json.loads(exported(capsys, folder, "--as", "imports"))
    lines = {"shed.door": [*before["shed.door"], "shed.lock"]}
    assert after == {**before, **lines, "shed.lock": ["shed.door", "shed.tools"]}


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("projects") / "kiosk"
    shutil.copytree(KIOSK, root)
    return root


@pytest.fixture
def whole(kiosk: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    links: dict[str, Any] = json.loads(exported(capsys, kiosk, "--as", "json"))
    return links


def test_the_formats_hold_the_same(
    kiosk: Path, whole: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    graph = networkx.parse_graphml(exported(capsys, kiosk, "--as", "graphml"))
    assert sorted(data["label"] for _, data in graph.nodes(data=True)) == sorted(
        node["name"] for node in whole["nodes"]
    )
    named = {
        (link["kind"], *(whole["nodes"][link[end]]["name"] for end in ("source", "target")))
        for link in whole["links"]
    }
    labels = dict(graph.nodes(data="label"))
    edges = {(d["kind"], labels[a], labels[b]) for a, b, d in graph.edges(data=True)}
    assert edges == named
    assert {"calls", "imports", "reads", "writes", "handles"} <= {kind for kind, *_ in named}
    dot = exported(capsys, kiosk, "--as", "dot")
    assert len(re.findall(r"^  n\d+ -> n\d+ \[", dot, flags=re.M)) == len(whole["links"])


def test_folded_into_modules(
    kiosk: Path, whole: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folded = json.loads(exported(capsys, kiosk, "--as", "json", "--modules"))
    assert not {"function", "class", "column"} & {node["kind"] for node in folded["nodes"]}
    names = {node["name"] for node in folded["nodes"] if node["kind"] in ("module", "table")}
    assert names == {n["name"] for n in whole["nodes"] if n["kind"] in ("module", "table")}
    assert all(link["source"] != link["target"] for link in folded["links"])
    chart = exported(capsys, kiosk, "--as", "mermaid").splitlines()
    assert chart[0] == "flowchart LR"
    declared = {m[1] for line in chart if (m := re.match(r"  (n\d+)[\[(>]", line))}
    arrows = [m.groups() for line in chart if (m := re.match(r"  (n\d+) -->\|.+\| (n\d+)$", line))]
    assert arrows
    assert {end for arrow in arrows for end in arrow} <= declared


def test_into_a_file_and_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "calls.json"
    assert exported(capsys, folder, "--as", "pycg", "-o", file).strip() == str(file)
    told = json.loads(exported(capsys, folder, "--as", "pycg", "--json"))
    assert (told["format"], told["file"]) == ("pycg", None)
    assert json.loads(told["text"]) == json.loads(file.read_text())


def test_what_cannot_be_done_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("export", folder, "--as", "imports", "--modules") == 2
    assert "--modules" in capsys.readouterr().err
    assert run("export", folder, "--as", "dot", "-o", folder / "none" / "a.dot") == 2
    assert "does not exist" in capsys.readouterr().err
    (folder / "empty").mkdir()
    assert run("export", folder / "empty", "--as", "pycg") == 2
    assert "no Python file" in capsys.readouterr().err


def test_what_is_exported_can_be_proposed_from(tmp_path: Path) -> None:
    shutil.copytree(KIOSK.parent / "lending", tmp_path / "lending")
    graph, parts = tmp_path / "graph.json", tmp_path / "parts.json"
    assert run("export", tmp_path / "lending", "--as", "from-graph", "-o", graph) == 0
    assert run("propose", "--from-graph", graph, "--services", "3", "-o", parts) == 0
    written = json.loads(graph.read_text())
    assert written["tables"]["loan"]["references"] == ["borrower", "tool"]
    assert ["fee", "loan"] in [each["tables"] for each in written["transactions"]]
    assert {each["path"] for each in written["routes"]} >= {"/tools/kinds"}
    partition = json.loads(parts.read_text())
    assert set(partition) == set(written["classes"])
    assert partition["toolshed.loans"] == partition["toolshed.desk"]
    assert partition["toolshed.loans"] != partition["workshop.bench"] == partition["workshop.shelf"]

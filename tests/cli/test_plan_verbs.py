"""`propose`, `check` and `explain` as they are typed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from migrator.cli.main import main
from migrator.cli.terminal import place_link
from migrator.model.graph import Graph
from migrator.plan.store import load

sys.path.insert(0, str(Path(__file__).parents[1] / "plan"))

from monolith_sketch import sketch
from shop_sketch import SHOP

PLAN = "migrator.plan.yaml"


class Project:
    """A folder with a sketched program, on which verbs are run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.graph = sketch(SHOP)

    def analysed(self, *_: object) -> Graph:
        return self.graph

    def run(self, *arguments: str) -> int:
        with pytest.raises(SystemExit) as exit:
            main(list(arguments))
        return int(exit.value.code or 0)

    @property
    def plan(self) -> Path:
        return self.root / PLAN

    def edit(self, old: str, new: str) -> None:
        text = self.plan.read_text()
        assert old in text
        self.plan.write_text(text.replace(old, new, 1))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    made = Project(tmp_path)
    for verb in ("propose", "check", "explain", "plan"):
        monkeypatch.setattr(f"migrator.cli.{verb}.current_graph", made.analysed)
    monkeypatch.chdir(tmp_path)
    return made


def test_propose_writes_a_plan_and_a_table(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("propose") == 0
    told = capsys.readouterr()
    assert told.out.strip() == str(project.plan)
    rows = [line.split() for line in told.err.splitlines()]
    assert [
        "order",
        "service",
        "tables",
        "routes",
        "other",
        "replicas",
        "calls",
        "deferred",
        "code",
    ] in rows
    assert any(row[1:4] == ["orders", "2", "4"] for row in rows if len(row) > 4)
    assert max(map(len, told.err.splitlines())) <= 100


def test_propose_does_not_replace_a_plan(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.run("propose")
    project.edit("order: 1", "order: 1  # mine")
    edited = project.plan.read_text()
    assert project.run("propose") == 2
    assert "--force" in capsys.readouterr().err
    assert project.plan.read_text() == edited
    assert project.run("propose", "-o", "other.yaml") == 0
    assert project.run("propose", "--force") == 0
    assert "# mine" in project.plan.read_text()


def test_propose_with_demands(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.run("propose", "--first", "payments", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert sorted(answer["plan"]["services"]) == ["payments", "remainder"]
    arguments = ("--services", "2-3", "--together", "letters,orders", "--own", "money=refunds")
    assert project.run("propose", "--force", *arguments) == 0
    assert "money:" in project.plan.read_text()


def test_demands_stand_in_the_plan_and_hold_when_it_is_proposed_anew(project: Project) -> None:
    root = str(project.root)
    assert project.run("propose", root, "--services", "2", "--weight", "paths=0") == 0
    assert "demands:\n  services: '2'\n  weights:\n    paths: 0.0\n" in project.plan.read_text()
    assert project.run("check", root, "--write") in (0, 1)
    assert project.run("propose", root, "--force") == 0
    assert len(load(project.plan).services) == 2
    assert project.run("propose", root, "--force", "--services", "3") == 0
    assert len(load(project.plan).services) == 3


def test_demands_that_nobody_typed_are_said_and_can_be_forgotten(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("propose", ".", "--apart", "orders,letters", "--services", "4") == 0
    assert "demanded by" not in capsys.readouterr().err
    assert project.run("propose", ".", "--force", "--services", "3") == 0
    assert "demanded by migrator.plan.yaml: --apart orders,letters;" in capsys.readouterr().err
    assert project.run("propose", ".", "--force", "--no-demands") == 0
    assert "demanded by" not in capsys.readouterr().err
    assert not load(project.plan).demands.apart


def test_demands_of_pyproject_hold_too(project: Project) -> None:
    (project.root / "pyproject.toml").write_text("[tool.migrator.propose]\nservices = 2\n")
    assert project.run("propose", str(project.root)) == 0
    assert len(load(project.plan).services) == 2
    (project.root / "pyproject.toml").write_text("[tool.migrator.propose]\nservice = 2\n")
    assert project.run("propose", str(project.root), "--force") == 2


@pytest.mark.parametrize(
    "arguments", [("--services", "many"), ("--own", "refunds"), ("--apart", "orders,nothing")]
)
def test_propose_with_wrong_demands(project: Project, arguments: tuple[str, ...]) -> None:
    assert project.run("propose", *arguments) == 2
    assert not project.plan.exists()


def test_check_a_fresh_plan(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.run("propose")
    assert project.run("check") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "consistent"


def test_check_says_what_an_edit_costs(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.run("propose")
    project.edit("      - route:payments.pay  # POST /payments\n", "")
    project.edit(
        "    entry_points:\n      - route:orders.cancel",
        "    entry_points:\n      - route:payments.pay\n      - route:orders.cancel",
    )
    assert project.run("check", "--write") == 0
    told = capsys.readouterr().out
    assert "against the last proposal: calls that cross: 3 -> 4 (+1, worse)" in told
    assert "function: shop.payments.services.pay" in project.plan.read_text()


def test_check_names_what_is_wrong(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.run("propose")
    project.edit("\n      - refunds\n", "\n      - refnds\n")
    assert project.run("check") == 2
    line = project.plan.read_text().splitlines().index("      - refnds") + 1
    assert f"{PLAN}:{line}: the code has no table refnds" in capsys.readouterr().err


def test_check_finds_a_stale_plan(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.run("propose")
    project.graph = sketch(SHOP.replace("POST /payments payments", "PUT /payments payments"))
    project.graph.program.digest = "later"
    assert project.run("check") == 1
    assert "stale: entry point route:payments.pay has changed" in capsys.readouterr().out
    assert project.run("check", "--json") == 1
    assert json.loads(capsys.readouterr().out)["stale"]
    assert project.run("check", "--write") == 1
    assert project.run("check") == 0


def test_explain(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert project.run("explain", "refunds") == 2
    project.run("propose")
    capsys.readouterr()
    assert project.run("explain", "refunds") == 0
    assert "owned by payments" in capsys.readouterr().out
    assert project.run("explain", "orders", "payments", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["depth"] == 0
    assert project.run("explain", "nonsense") == 2


def test_check_in_ci(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.run("propose")
    listed = project.plan.read_text()
    read = "    def shop.mail.views.inbox()\n      read letters\n"
    project.graph = sketch(SHOP.replace(read, read + "      read payments\n"))
    project.graph.program.digest = "later"
    capsys.readouterr()
    assert project.run("check", "--format", "github") == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("::error file=shop/mail/views.py,line=")
    assert "mail reads payments of payments" in lines[0]
    assert project.run("check", "--format", "sarif", "-o", "out/check.sarif") == 1
    (run,) = json.loads((project.root / "out" / "check.sarif").read_text())["runs"]
    assert run["results"][0]["ruleId"] == "new-crossing"
    assert project.run("check", "--write") == 1
    assert project.plan.read_text() == listed, "the list may only shrink"
    assert project.run("check", "--write", "--accept-crossings") == 1
    assert project.run("check") == 0
    project.edit("tables:\n      - letters", "tables:\n      - leters")
    capsys.readouterr()
    assert project.run("check", "--format", "github") == 2
    line = project.plan.read_text().splitlines().index("      - leters") + 1
    assert f"::error file={PLAN},line={line},title=wrong-plan::" in capsys.readouterr().out


def test_explain_takes_the_folder_as_an_option(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.run("propose")
    assert project.run("explain", "refunds", "--source", str(project.root)) == 0
    assert project.run("explain", ".", "refunds") == 2
    assert "`migrator explain refunds --source .`" in capsys.readouterr().err
    assert project.run("explain", "refunds", "--plan", "one-service") == 0


def test_places_are_hyperlinks_in_a_terminal() -> None:
    shown = Console(force_terminal=True, width=100, legacy_windows=False)
    with shown.capture() as captured:
        shown.print(place_link(Path("/shop"), "orders/views.py:12"))
    assert "\x1b]8;" in captured.get()
    assert "file:///shop/orders/views.py#12" in captured.get()
    plain = Console(force_terminal=False, width=100)
    with plain.capture() as captured:
        plain.print(place_link(Path("/shop"), "orders/views.py:12"))
    assert captured.get() == "orders/views.py:12\n"

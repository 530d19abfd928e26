"""What people see: plain where it is piped, no wider than a document, completed by the shell."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click import shell_completion
from click.shell_completion import BashComplete

from migrator.cli import fish
from migrator.cli.findings import print_findings
from migrator.cli.main import VERBS, main, program
from migrator.cli.terminal import WIDTH, console
from migrator.model.plan import Finding

SOURCE = Path(__file__).parents[1] / "assets" / "lending"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("terminal") / "lending"
    shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for verb in ("analyze", "propose"):
        with pytest.raises(SystemExit) as exit:
            main([verb, str(root)])
        assert exit.value.code == 0
    return root


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze", "."],
        ["list"],
        ["list", "--tables"],
        ["list", "--state"],
        ["propose", ".", "--force"],
        ["plan", "compare"],
        ["plan", "diff", "whole-transactions", "fewest"],
        ["plan", "roadmap"],
        ["check"],
    ],
    ids=" ".join,
)
def test_what_is_piped_is_plain_and_fits_a_document(
    planned: Path,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(planned)
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 0
    told = capsys.readouterr()
    lines = (told.out + told.err).splitlines()
    assert lines
    assert not [line for line in lines if "\x1b" in line or line != line.rstrip()]
    copied = (str(planned), "next:", "      migrator")
    assert [x for x in lines if len(x) > WIDTH and not any(word in x for word in copied)] == []


@pytest.mark.parametrize("no_color", [False, True])
def test_colours_are_for_terminals_that_want_them(
    no_color: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    console().print("written", style="green")
    assert ("\x1b[32m" in screen.getvalue()) is not no_color


def completed(*words: str) -> list[str]:
    shell = BashComplete(program, {}, "migrator", "_MIGRATOR_COMPLETE")
    return [each.value for each in shell.get_completions(list(words[:-1]), words[-1])]


def test_the_shell_completes_verbs_and_options() -> None:
    assert completed("") == list(VERBS)
    assert completed("pro") == ["propose"]
    assert "--apart" in completed("propose", "--a")
    assert completed("plan", "ro") == ["roadmap"]
    assert completed("nonsense", "") == [*VERBS]
    assert "--debug" in completed("--d")


def test_the_shell_completes_names_of_the_plan(
    planned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ["--source", str(planned)]
    assert completed("explain", *at, "pe") == ["people"]
    assert completed("explain", *at, "route:bench.f") == ["route:bench.fault"]
    assert {"fewest", "migrator.plan.yaml"} <= set(completed("plan", "diff", *at, ""))
    monkeypatch.chdir(planned)
    assert completed("propose", ".", "--apart", "borrower,lo") == ["borrower,loan"]
    assert completed("propose", "--weight", "co-") == ["co-change="]
    assert completed("propose", "--proposal", "by") == ["by-team"]
    (tmp_path / "system.json").write_text('{"services": ["loans"]}')
    assert completed("scale", "--services", str(tmp_path), "") == ["loans"]
    assert completed("scale", "--services", str(planned), "") == []


def test_of_many_findings_a_few_of_each_kind_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    many = [
        Finding(kind=kind, subject=f"s{number}", message="it does", at="a.py:1", hint="do this")
        for kind in ("left-out", "split-transaction")
        for number in range(30)
    ]
    print_findings(many, console(stderr=True))
    told = capsys.readouterr().err
    assert told.startswith("split: s0 (a.py:1): it does")
    assert told.count("split: s") == told.count("left out: s") == 5
    assert told.count("25 more of these") == 2


@pytest.mark.skipif(not shutil.which("fish"), reason="there is no fish here")
def test_fish_completes_after_a_comma(planned: Path) -> None:
    program_of = Path(sys.executable).parent
    said = "_MIGRATOR_COMPLETE=fish_source migrator | source; complete -C"
    done = subprocess.run(
        ["fish", "-c", f'{said} "migrator propose . --apart borrower,lo"'],
        cwd=planned,
        env={**os.environ, "PATH": f"{program_of}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["borrower,loan"], done.stderr


def test_the_script_for_fish_parts_words_at_the_first_comma_only() -> None:
    fish.register()
    made = shell_completion.get_completion_class("fish")
    assert made is not None
    script = made(program, {}, "migrator", "_MIGRATOR_COMPLETE").source()
    assert 'string split --max 1 ","' in script

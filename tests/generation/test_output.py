"""Nothing of anybody is lost when the output is written, and nothing is left half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.generation.output import write_output
from migrator.model.errors import ConfigurationError, Refusals

FIRST = {"system.json": b"{}", "shop/src/a.py": b"a = 1\n", "shop/src/b/c.py": b"c = 1\n"}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".migrator" not in path.parts
    }


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_is_empty_or_absent_is_filled(tmp_path: Path, exists: bool) -> None:
    output = tmp_path / "deep" / "out"
    if exists:
        output.mkdir(parents=True)
    write_output(output, FIRST)
    assert tree(output) == FIRST
    assert [path.name for path in output.parent.iterdir()] == ["out"]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(ConfigurationError) as error:
        write_output(tmp_path, FIRST)
    assert error.value.exit_code == 2
    assert "-o" in error.value.hint
    assert tree(tmp_path) == {"thesis.txt": b"precious"}


def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(ConfigurationError):
        write_output(tmp_path / "out", FIRST)
    assert (tmp_path / "out").read_text() == "precious"


def test_generating_again_replaces_removes_and_keeps_what_people_added(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_output(output, FIRST)
    (output / "notes.md").write_bytes(b"ours")
    (output / ".migrator" / "data").mkdir()
    (output / ".migrator" / "data" / "rows.db").write_bytes(b"rows")
    second = {"system.json": b"{}", "shop/src/a.py": b"a = 2\n"}
    write_output(output, second)
    assert tree(output) == {**second, "notes.md": b"ours"}
    assert not (output / "shop" / "src" / "b").exists()
    assert (output / ".migrator" / "data" / "rows.db").read_bytes() == b"rows"
    assert (output / ".migrator" / "base" / "shop" / "src" / "a.py").read_bytes() == b"a = 2\n"


def test_files_that_people_changed_are_named_and_nothing_is_written(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_output(output, FIRST)
    (output / "shop/src/a.py").write_bytes(b"a = 'by hand'\n")
    (output / "shop/src/b/c.py").write_bytes(b"c = 'by hand'\n")
    before = tree(output)
    with pytest.raises(Refusals) as error:
        write_output(output, {"system.json": b"{ }", "shop/src/a.py": b"a = 2\n"})
    assert [str(problem.place) for problem in error.value.problems] == [
        str(output / "shop/src/a.py"),
        str(output / "shop/src/b/c.py"),
    ]
    assert error.value.exit_code == 1
    assert tree(output) == before
    assert (output / ".migrator/base/shop/src/a.py").read_bytes() == b"a = 1\n"


def test_a_file_that_people_added_is_not_overwritten(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_output(output, FIRST)
    (output / "shop/src/new.py").write_bytes(b"mine")
    with pytest.raises(Refusals) as error:
        write_output(output, {**FIRST, "shop/src/new.py": b"theirs"})
    assert "shop/src/new.py" in error.value.message
    assert (output / "shop/src/new.py").read_bytes() == b"mine"


def test_a_run_that_broke_off_in_the_middle_is_mended_by_the_next(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_output(output, FIRST)
    second = {**FIRST, "shop/src/a.py": b"a = 2\n"}
    (output / "shop/src/a.py").write_bytes(second["shop/src/a.py"])
    write_output(output, second)
    assert tree(output) == second

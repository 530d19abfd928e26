"""Nothing of anybody is lost when the output is written, and nothing is left half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrator.generation.output import require_resolved, write_output
from migrator.model.errors import ConfigurationError

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


def test_nothing_is_touched_and_nothing_said_when_nothing_changes(tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert write_output(output, FIRST).first
    (output / "shop/src/a.py").write_bytes(b"a = 'by hand'\n")
    (output / "shop/src/b/c.py").unlink()
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*")}
    written = write_output(output, FIRST)
    assert written.nothing
    assert written.kept == ["shop/src/a.py", "shop/src/b/c.py"]
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*")} == before


BASE = b"import os\n\nlimit = 1\n\n\ndef run():\n    return limit\n"


def test_what_people_changed_is_merged_with_what_is_generated_now(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_output(output, {**FIRST, "shop/run.py": BASE, "shop/start.sh": b"one\n"})
    (output / "shop/run.py").write_bytes(BASE.replace(b"import os\n", b"import os\nimport re\n"))
    (output / "shop/start.sh").chmod(0o755)
    second = {**FIRST, "shop/run.py": BASE.replace(b"return limit", b"return limit + 1")}
    written = write_output(output, {**second, "shop/start.sh": b"two\n"})
    assert (written.merged, written.changed) == (["shop/run.py"], ["shop/start.sh"])
    assert written.conflicts == written.new == written.removed == []
    text = (output / "shop/run.py").read_bytes()
    assert text == second["shop/run.py"].replace(b"import os\n", b"import os\nimport re\n")
    assert (output / "shop/start.sh").stat().st_mode & 0o777 == 0o755
    # The new text is the base of the next merge.
    assert (output / ".migrator/base/shop/run.py").read_bytes() == second["shop/run.py"]
    assert write_output(output, {**second, "shop/start.sh": b"two\n"}).nothing


def test_conflicts_are_marked_and_nothing_of_anybody_is_lost(tmp_path: Path) -> None:
    output = tmp_path / "out"
    logo, gone = b"\0one", b"once\n"
    write_output(output, {**FIRST, "run.py": BASE, "logo": logo, "gone": gone, "cut": gone})
    (output / "run.py").write_bytes(BASE.replace(b"= 1", b"= 2"))
    (output / "logo").write_bytes(b"\0mine")
    (output / "gone").write_bytes(b"mine\n")
    (output / "cut").unlink()
    (output / "added.py").write_bytes(b"mine\n")
    second = {
        **FIRST,
        "run.py": BASE.replace(b"= 1", b"= 3"),
        "logo": b"\0two",
        "cut": b"twice\n",
        "added.py": b"theirs\n",
    }
    written = write_output(output, second)
    assert [each.path for each in written.conflicts] == [
        *("added.py", "cut", "gone", "logo", "run.py")
    ]
    marked = b"<<<<<<< yours\nlimit = 2\n=======\nlimit = 3\n>>>>>>> generated\n"
    assert (output / "run.py").read_bytes() == BASE.replace(b"limit = 1\n", marked)
    assert (output / "logo").read_bytes() == b"\0mine"
    assert (output / ".migrator/base/logo").read_bytes() == b"\0two"
    assert (output / "gone").read_bytes() == b"mine\n"
    assert (output / "cut").read_bytes() == b"twice\n"
    assert b"mine\n" in (output / "added.py").read_bytes()
    # Marks that still stand there are told of again, and never merged into.
    written = write_output(output, {**second, "run.py": BASE.replace(b"= 1", b"= 4")})
    assert [each.path for each in written.conflicts] == ["added.py", "run.py"]
    assert marked in (output / "run.py").read_bytes()
    with pytest.raises(ConfigurationError, match="conflict marks stand in it, and in 1 more"):
        require_resolved(output)
    for name in ("added.py", "run.py"):
        (output / name).write_bytes(b"mine\n")
    require_resolved(output)


def test_a_run_that_broke_off_in_the_middle_is_mended_by_the_next(tmp_path: Path) -> None:
    output = tmp_path / "out"
    write_output(output, FIRST)
    second = {**FIRST, "shop/src/a.py": b"a = 2\n"}
    (output / "shop/src/a.py").write_bytes(second["shop/src/a.py"])
    write_output(output, second)
    assert tree(output) == second

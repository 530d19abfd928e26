"""What a function gives back as it got it stays apart, however often the function is called."""

from __future__ import annotations

from pathlib import Path

from analysed import graph_of

from migrator.model.graph import EdgeKind


def test_a_decorator_that_gives_back_its_function_keeps_hundreds_apart(tmp_path: Path) -> None:
    marked = "".join(
        f"@mark\ndef f{number}():\n    pass\n\n\ndef g{number}():\n    f{number}()\n\n\n"
        for number in range(400)
    )
    (tmp_path / "app.py").write_text(
        f"def mark(function):\n    function.marked = True\n    return function\n\n\n{marked}"
    )
    called: dict[str, set[str]] = {}
    for edge in graph_of(tmp_path).edges(EdgeKind.CALLS):
        called.setdefault(edge.source.name, set()).add(edge.target.name)
    assert all(called[f"app.g{number}"] == {f"app.f{number}"} for number in range(400))

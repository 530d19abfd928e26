"""State that leaves the process: what stands in the code afterwards."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from migrator.generation.names import Project
from migrator.generation.pruning import apply_edits
from migrator.generation.state import move_state
from migrator.model.errors import Refused
from migrator.model.plan import StateRemedy
from migrator.model.program import Program, StateFinding


def moved(
    root: Path, text: str, name: str, remedy: Any, detail: str = "", kind: Any = "cache"
) -> tuple[str, str]:
    """The module `mill` after a remedy, and the import that it needs."""
    (root / "mill.py").write_text(dedent(text))
    finding = StateFinding(kind=kind, name=f"mill.{name}", file="mill.py", line=1, detail=detail)
    project = Project(Program(root=str(root), modules={"mill": "mill.py"}, state=[finding]))
    decided = StateRemedy(name=f"mill.{name}", kind=kind, remedy=remedy)
    unit = project.unit_of(decided.name)[0]
    edits, line = move_state(project, unit, decided)
    return apply_edits(unit.module.text, edits).decode(), line


def test_a_memoised_function_gets_another_decorator(tmp_path: Path) -> None:
    text = """
        import functools

        @functools.lru_cache(maxsize=None)
        def flour(kind):
            return kind
        """
    after, line = moved(tmp_path, text, "flour", "shared")
    assert '@shared_memo("mill.flour")\ndef flour(kind):' in after
    assert line == "from servicekit.caching import shared_memo"


def test_a_memoised_method_is_found_in_its_class(tmp_path: Path) -> None:
    text = """
        class Stone:
            @classmethod
            @ttl_cache(ttl=60)
            def dressed(cls):
                return True
        """
    after, _ = moved(tmp_path, text, "Stone.dressed", "request")
    assert '    @classmethod\n    @request_memo("mill.Stone.dressed")\n    def dressed' in after


def test_a_job_is_leased_where_it_is_defined(tmp_path: Path) -> None:
    text = """
        @scheduler.task("interval", seconds=30)
        def grind():
            pass

        def start():
            def sweep():
                pass
            scheduler.add_job(sweep)
            scheduler.add_job(lambda: 1)
        """
    after, line = moved(tmp_path, text, "grind", "lease", kind="job")
    assert 'seconds=30)\n@only_one("mill.grind", wait=False)\ndef grind():' in after
    assert line == "from servicekit.lease import only_one"
    after, _ = moved(tmp_path, text, "start.sweep", "lease", kind="job")
    assert '    @only_one("mill.start.sweep", wait=False)\n    def sweep():' in after
    with pytest.raises(Refused, match="no function with a name"):
        moved(tmp_path, text, "start.<lambda>", "lease", kind="job")


def test_a_dict_of_a_decorator_is_emptied_for_each_request(tmp_path: Path) -> None:
    text = """
        def kept(kind):
            def decorate(function):
                known = {}
                def wrapper(*args):
                    known[args] = function(*args)
                    return known[args]
                return wrapper
            return decorate
        """
    after, line = moved(tmp_path, text, "kept.decorate.known", "request")
    assert '        known = RequestDict("mill.kept.decorate.known")\n' in after
    assert line == "from servicekit.state import RequestDict"


def test_a_dict_of_a_class_is_kept_in_the_store(tmp_path: Path) -> None:
    text = """
        class Stone:
            turns: dict = {}
        """
    after, _ = moved(tmp_path, text, "Stone.turns", "shared")
    assert '    turns: dict = SharedDict("mill.Stone.turns")\n' in after


def test_a_cache_object_is_of_another_class_with_the_same_arguments(tmp_path: Path) -> None:
    text = """
        from mill.extension import Store

        cache = Store(config={"CACHE_TYPE": "SimpleCache"})
        """
    after, line = moved(tmp_path, text, "cache", "request", "flask_caching.Cache")
    assert (
        'cache = request_cache("mill.cache", Store)'
        '(config={"CACHE_TYPE": "SimpleCache"})\n' in after
    )
    assert line == "from servicekit.caching import request_cache"


def test_a_limiter_counts_for_all_processes_or_not_at_all(tmp_path: Path) -> None:
    text = """
        limiter = Limiter(key_func=who)
        """
    after, _ = moved(tmp_path, text, "limiter", "shared", "flask_limiter.Limiter")
    assert 'limiter = shared_limiter("mill.limiter", Limiter)(key_func=who)\n' in after
    with pytest.raises(Refused, match="cannot be kept"):
        moved(tmp_path, text, "limiter", "request", "flask_limiter.Limiter")


def test_what_keeps_nothing_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="has no decorator that keeps") as refused:
        moved(tmp_path, "\ndef grind():\n    return 1\n", "grind", "shared")
    assert str(refused.value.place) == "mill.py:2"

"""Where a call is cut, and which remedy pays for it."""

from __future__ import annotations

import pytest
from monolith_sketch import sketch
from msgspec.structs import replace

from migrator.plan.consequences.crossings import Cut, Walker
from migrator.plan.evidence.deferral import Deferral
from migrator.plan.evidence.reach import Reach

TABLES = """
table own a/models.py
table theirs b/models.py
table others c/models.py
"""
OWNER = {"own": "a", "theirs": "b", "others": "c"}


def cuts(text: str, methods: str = "POST") -> list[Cut]:
    graph = sketch(TABLES + text + f"\nroute {methods} /x x a.views.handle\n")
    reach = Reach(graph.program)
    walk = Walker(reach, Deferral(reach), OWNER).walk("a", [graph.program.entry_points["route:x"]])
    return list(walk.cuts)


def decided(text: str, methods: str = "POST") -> list[tuple[str, str, bool]]:
    return sorted((c.function, c.remedy, c.rows) for c in cuts(text, methods))


def test_code_that_only_reads_is_copied() -> None:
    assert not cuts("""
    def a.views.handle()
      used call b.services.look
    def b.services.look()
      read theirs
    """)


def test_the_highest_function_of_one_owner_is_cut() -> None:
    found = cuts("""
    def a.views.handle()
      used call b.services.outer
      update own
      commit
    def b.services.outer()
      used call b.services.inner
    def b.services.inner()
      insert theirs
      commit
    """)
    assert [(c.function, c.remedy, c.owner, c.place) for c in found] == [
        ("b.services.outer", "call", "b", "a/views.py:7")
    ]


def test_a_function_that_writes_both_is_copied_and_cut_below() -> None:
    assert decided("""
    def a.views.handle()
      used call a.services.both
    def a.services.both()
      update own
      commit
      used call b.services.inner
    def b.services.inner()
      insert theirs
      commit
    """) == [("b.services.inner", "call", False)]


@pytest.mark.parametrize(
    "signature",
    [
        "b.services.inner() generator",
        "b.services.inner(then: Callable)",
        "b.services.inner() -> sqlalchemy.orm.Query",
    ],
)
def test_what_cannot_cross_sends_its_rows(signature: str) -> None:
    assert decided(f"""
    def a.views.handle()
      used call b.services.inner
    def {signature}
      insert theirs
      commit
    """) == [("b.services.inner", "row-write", True)]


def test_an_object_that_is_not_flushed_cannot_cross() -> None:
    text = """
    def a.views.handle()
      insert own
      {}
      used call b.services.inner
    def b.services.inner(thing: own)
      insert theirs
      commit
    """
    assert decided(text.format("read own"))[0][1] == "row-write"
    assert decided(text.format("commit"))[0][1] == "call"


def test_the_entry_point_itself_is_never_cut() -> None:
    found = cuts("""
    def a.views.handle()
      update own
      commit
      insert theirs
      commit
    """)
    assert [(c.function, c.remedy) for c in found] == [("a.views.handle", "row-write")]
    assert "no function can be cut" in found[0].reason


def test_a_cascade_that_reaches_another_owner_is_told() -> None:
    (found,) = cuts("""
    def a.views.handle()
      delete own
      delete theirs cascade
      commit
    """)
    assert found.tables == {"theirs"}
    assert found.reason.startswith("a delete reaches them: cascade")


def test_a_function_that_asks_a_third_service_is_cut_where_it_writes() -> None:
    assert decided("""
    def a.views.handle()
      used call b.services.outer
    def b.services.outer()
      insert theirs
      commit
      used call c.services.inner
    def c.services.inner()
      insert others
      commit
    """) == [("b.services.outer", "call", False)]


def test_a_loop_is_dear() -> None:
    (found,) = cuts("""
    def a.views.handle()
      used loop call a.services.each
    def a.services.each()
      used call b.services.inner
      update own
      commit
    def b.services.inner()
      insert theirs
      commit
    """)
    assert found.looped and found.cost == 12


BUMP = """
    def a.views.handle()
      update own
      commit
      {call} b.services.bump
      {after}
    def b.services.bump({given}){raises}
      read theirs
      insert theirs
      commit
"""


def bump(call: str = "call", after: str = "read own", given: str = "", raises: str = "") -> str:
    return decided(BUMP.format(call=call, after=after, given=given, raises=raises))[0][1]


def test_what_nobody_uses_is_deferred() -> None:
    assert bump() == "defer"


def test_a_used_result_an_exception_or_an_effect_that_is_read_is_waited_for() -> None:
    assert bump(call="used call") == "call"
    assert bump(raises=" raises b.Refused") == "call"
    assert bump(after="read theirs") == "call"


def test_an_effect_that_a_caller_further_up_reads_is_waited_for() -> None:
    assert (
        decided("""
    def a.views.handle()
      used call a.services.step
      read theirs
    def a.services.step()
      update own
      commit
      call b.services.bump
    def b.services.bump()
      insert theirs
      commit
    """)[0][1]
        == "call"
    )


def test_columns_that_are_not_read_do_not_hold_it_up() -> None:
    text = """
    def a.views.handle()
      update own
      commit
      call b.services.bump
      read theirs.{}
    def b.services.bump()
      update theirs.seen
      commit
    """
    assert decided(text.format("name"))[0][1] == "defer"
    assert decided(text.format("seen"))[0][1] == "call"


def test_a_change_to_an_object_that_the_caller_holds_is_waited_for() -> None:
    assert (
        decided("""
    def a.views.handle()
      update own
      commit
      call b.services.bump
    def b.services.bump(thing: theirs)
      update theirs
      commit
    """)[0][1]
        == "call"
    )


def test_a_commit_that_the_caller_relies_on_is_not_deferred() -> None:
    text = """
    def a.views.handle()
      update own
      call b.services.bump
      {}
    def b.services.bump()
      insert theirs
      commit
    """
    assert decided(text.format("commit"))[0][1] == "defer"
    assert decided(text.format("read own"))[0][1] == "call"


def test_a_hook_that_does_more_than_write_sends_rows_later() -> None:
    assert decided("""
hook a.hooks.before
    def a.hooks.before()
      read theirs
      update theirs
      commit
    def a.views.handle()
      read own
    """) == [("a.hooks.before", "defer", True)]


def test_what_a_signal_sets_off_is_cut_at_its_receiver() -> None:
    text = """
    def a.views.handle()
      update own
      commit
      emit changed
    def b.receivers.on_change(){}
      insert theirs
      commit
signal changed b.receivers.on_change
    """
    assert decided(text.format("")) == [("b.receivers.on_change", "defer", False)]
    assert decided(text.format(" raises b.Refused"))[0][1] == "call"


def test_what_also_writes_own_tables_is_not_deferred_as_a_whole() -> None:
    assert decided("""
    def a.views.handle()
      call a.services.both
    def a.services.both()
      update own
      update theirs
      commit
    """) == [("a.services.both", "row-write", True)]


def test_rows_that_no_flush_changes_one_by_one_are_a_decision() -> None:
    text = (
        TABLES
        + """
    def a.views.handle()
      update own
      commit
      update theirs

    route POST /x x a.views.handle
    """
    )
    graph = sketch(text)
    entry = graph.program.entry_points["route:x"]

    def remedy() -> tuple[str, str]:
        reach = Reach(graph.program)
        (found,) = Walker(reach, Deferral(reach), OWNER).walk("a", [entry]).cuts
        return found.remedy, found.reason

    assert remedy()[0] == "row-write"
    tables = graph.program.tables
    tables["theirs"] = replace(mapped := tables["theirs"], model="")
    assert remedy()[0] == "merge"
    assert "no class is mapped to theirs" in remedy()[1]

    tables["theirs"] = mapped
    graph.program.classes[mapped.model] = (tables["others"].model,)
    assert remedy()[0] == "merge"
    assert "objects of theirs have rows in several tables" in remedy()[1]

    graph.program.classes[mapped.model] = ()
    handle = graph.program.functions["a.views.handle"]
    events = [replace(e, via="query.update") if e.target == "theirs" else e for e in handle.events]
    graph.program.functions["a.views.handle"] = replace(handle, events=tuple(events))
    assert remedy()[0] == "merge"
    assert "changes theirs by a statement (query.update)" in remedy()[1]


def test_a_method_that_saves_whatever_it_is_called_on_is_not_cut() -> None:
    graph = sketch(
        TABLES
        + """
    def a.views.handle()
      call models.Saved.save
    def a.views.other()
      read own
    def models.Saved.save()
      insert theirs
      commit
route POST /x x a.views.handle
route GET /y y a.views.other
"""
    )
    import msgspec

    program = graph.program
    save = program.functions["models.Saved.save"]
    events = (*save.events, *(msgspec.structs.replace(e, target="own") for e in save.events[:1]))
    program.variants["models.Saved.save[Theirs]"] = save
    program.functions["models.Saved.save"] = msgspec.structs.replace(save, events=events)
    handle = program.functions["a.views.handle"]
    program.functions["a.views.handle"] = msgspec.structs.replace(
        handle,
        events=(msgspec.structs.replace(handle.events[0], variant="models.Saved.save[Theirs]"),),
    )
    reach = Reach(program)
    walk = Walker(reach, Deferral(reach), OWNER).walk("a", [program.entry_points["route:x"]])
    assert [(c.function, c.rows) for c in walk.cuts] == [("models.Saved.save", True)]

"""The plan as a file that people edit."""

from __future__ import annotations

from pathlib import Path

import pytest
from monolith_sketch import sketch
from shop_sketch import SHOP

from migrator.model.errors import MigratorError, PlanError
from migrator.plan.propose import propose
from migrator.plan.store import load, render, save


@pytest.fixture
def path(tmp_path: Path) -> Path:
    graph = sketch(SHOP)
    path = tmp_path / "migrator.plan.yaml"
    save(propose(graph), path, graph)
    return path


def test_what_is_written_is_read_again(path: Path) -> None:
    plan = propose(sketch(SHOP))
    assert render(load(path)) == render(plan)


def test_routes_are_told_beside_their_names(path: Path) -> None:
    assert "      - route:orders.cancel  # POST /orders/<id>/cancel\n" in path.read_text()


def test_writing_again_changes_nothing(path: Path) -> None:
    before = path.read_text()
    save(load(path), path)
    assert path.read_text() == before
    save(load(path), path, sketch(SHOP))
    assert path.read_text() == before


def edit(path: Path, *changes: tuple[str, str]) -> str:
    text = path.read_text()
    for old, new in changes:
        assert text.count(old) >= 1, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return text


def test_comments_stay_where_they_stand(path: Path) -> None:
    edit(
        path,
        ("services:\n", "# the board, 3 May\nservices:\n"),
        ("      - letters\n", "      # since 2019\n      - letters  # few rows\n"),
        ("route:mail.inbox  # GET /letters", "route:mail.inbox  # slow: ask Ann # twice"),
        ("    order: 4\n", "    order: 4 # not before autumn\n"),
    )
    path.write_text(path.read_text() + "# the end\n")
    save(load(path), path, sketch(SHOP))
    text = path.read_text()
    assert "# the board, 3 May\nservices:\n" in text
    assert "      # since 2019\n      - letters  # few rows\n" in text
    assert "route:mail.inbox  # slow: ask Ann # twice\n" in text
    assert "    order: 4  # not before autumn\n" in text
    assert text.endswith("# the end\n")


def test_what_was_written_beside_an_entry_point_goes_with_it(path: Path) -> None:
    signal, beside = "signal:shop.mail.receivers.welcome", "# registered\n"
    assert f"      - {signal}  {beside}" in path.read_text()
    plan = load(path)
    plan.services["mail"].entry_points.remove(signal)
    plan.services["orders"].entry_points.append(signal)
    save(plan, path, sketch(SHOP))
    assert f"      - {signal}  {beside}" in path.read_text()
    assert path.read_text().count(beside) == 1


def test_a_comment_outlives_what_it_stood_at(path: Path) -> None:
    edit(path, ("      - letters\n", "      # keep me\n      - letters  # and me\n"))
    plan = load(path)
    plan.services["mail"].tables.remove("letters")
    plan.services["orders"].tables.append("letters")
    save(plan, path)
    assert "# keep me\n" in path.read_text() and "# and me\n" in path.read_text()


def test_a_hash_in_a_text_is_no_comment(path: Path) -> None:
    plan = load(path)
    plan.services["mail"].purpose = "Room #5 and # six: 'quoted'"
    save(plan, path)
    save(load(path), path)
    assert load(path).services["mail"].purpose == "Room #5 and # six: 'quoted'"
    assert path.read_text().count("six") == 1


def test_every_mistake_is_told_with_its_line(path: Path) -> None:
    text = edit(
        path,
        ("remedy: defer", "remedy: deferr"),
        ("    order: 1\n", "    order: first\n"),
        ("    tables:\n", "    tabels:\n"),
        ("freshness: strict", "freshness: soon"),
    )
    with pytest.raises(PlanError) as error:
        load(path)
    lines = text.splitlines()
    found = {p.message: p for p in error.value.problems}
    assert set(found) == {
        "remedy cannot be deferr",
        "order must be a whole number",
        "unknown field tabels",
        "freshness cannot be soon",
    }
    for message, word in (
        ("remedy cannot be deferr", "deferr"),
        ("unknown field tabels", "tabels"),
        ("order must be a whole number", "first"),
    ):
        assert word in lines[found[message].place.line - 1]
    assert found["remedy cannot be deferr"].hint == "did you mean defer?"
    assert str(found["unknown field tabels"].place).startswith("migrator.plan.yaml:")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: [1\n", "not valid YAML"),
        ("services:\n  a: {}\n  a: {}\n", "not valid YAML"),
        ("- 1\n", "must be a mapping"),
        ("services: 3\n", "services must be a mapping"),
        ("services:\n  a:\n    tables: members\n", "tables must be a list"),
        ("services:\n  a:\n    calls:\n    - owner: b\n", "needs a field function"),
    ],
)
def test_what_is_no_plan(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "migrator.plan.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match=message) as error:
        load(path)
    assert error.value.problems[0].place is not None


def test_an_empty_service_is_a_service(tmp_path: Path) -> None:
    path = tmp_path / "migrator.plan.yaml"
    path.write_text("services:\n  rest:\n    remainder: true\n    tables:\n  other:\n")
    plan = load(path)
    assert plan.services["rest"].remainder and plan.services["rest"].tables == []
    assert plan.services["other"].order == 0


def test_no_plan_at_all(tmp_path: Path) -> None:
    with pytest.raises(MigratorError, match="there is no plan") as error:
        load(tmp_path / "migrator.plan.yaml")
    assert "migrator propose" in error.value.hint

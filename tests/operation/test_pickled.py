"""Code that the rows of a database name."""

from __future__ import annotations

import collections
import datetime
import fractions
import pickle
import sqlite3
from pathlib import Path

import pytest

from migrator.operation.pickled import names_in, pickled_names


class Sack(dict):  # type: ignore[type-arg]
    """A class of an application: its values are pickled by name, with items and attributes."""


def grind(kind: str) -> str:
    return kind


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_names_of_classes_and_functions_wherever_they_stand(protocol: int) -> None:
    sack = Sack(rye=[1])
    sack.weight = 3  # type: ignore[attr-defined]
    value = {"choices": (grind, sack), "when": datetime.date(2026, 1, 2)}
    assert names_in(pickle.dumps(value, protocol)) >= {
        f"{__name__}.grind",
        f"{__name__}.Sack",
        "datetime.date",
    }


def test_nothing_is_imported_or_run_and_what_is_no_pickle_has_no_names() -> None:
    dangerous = b"\x80\x02cnowhere.at.all\nboom\nX\x01\x00\x00\x00a\x85R."
    assert names_in(dangerous) == {"nowhere.at.all.boom"}
    assert names_in(b"\x80 not a pickle") == set()
    assert names_in(pickle.dumps([1, "two"])) == set()
    ordered = collections.OrderedDict(half=fractions.Fraction(1, 2))
    assert names_in(pickle.dumps(ordered)) == {"collections.OrderedDict", "fractions.Fraction"}


def test_tables_whose_rows_name_code(tmp_path: Path) -> None:
    database = tmp_path / "mill.db"
    with sqlite3.connect(database) as opened:
        opened.execute('CREATE TABLE "set tings" (name TEXT, "va""lue" BLOB)')
        opened.execute("CREATE TABLE pictures (content BLOB)")
        opened.executemany(
            'INSERT INTO "set tings" VALUES (?, ?)',
            [("how", pickle.dumps(grind)), ("plain", pickle.dumps(3)), ("none", None)],
        )
        opened.execute("INSERT INTO pictures VALUES (x'80FF00')")
    opened.close()
    assert pickled_names(database) == {"set tings": (f"{__name__}.grind",)}

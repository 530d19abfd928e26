from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from migrator.model.errors import OperationError
from migrator.model.manifest import OwnedTable, ServiceManifest
from migrator.operation.split import load_files, load_tables

MONOLITH = """
CREATE TABLE bed (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, area REAL,
                  label TEXT GENERATED ALWAYS AS (name || '!') VIRTUAL);
CREATE TABLE sown ("order" INTEGER, plant TEXT);
CREATE TABLE kept (code TEXT PRIMARY KEY, bed_id INTEGER REFERENCES bed(id)) WITHOUT ROWID;
CREATE TABLE foreign_one (id INTEGER PRIMARY KEY);
INSERT INTO bed (name, area) VALUES ('north', 1.5), ('south', 1e300), ('gone', 0);
DELETE FROM bed WHERE name = 'gone';
INSERT INTO sown VALUES (2, 'leek'), (1, x'00ff'), (1, NULL);
INSERT INTO kept VALUES ('a', 1);
INSERT INTO foreign_one VALUES (1);
"""
SERVICE = """
CREATE TABLE bed (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, area REAL,
                  label TEXT GENERATED ALWAYS AS (name || '!') VIRTUAL);
CREATE TABLE sown ("order" INTEGER, plant TEXT);
CREATE TABLE kept (code TEXT PRIMARY KEY, bed_id INTEGER) WITHOUT ROWID;
CREATE TABLE events (what TEXT);
CREATE TRIGGER told AFTER INSERT ON bed BEGIN INSERT INTO events VALUES (NEW.name); END;
"""


def make(path: Path, script: str) -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    return path


def manifest(*tables: str) -> ServiceManifest:
    return ServiceManifest(
        name="garden", application="x:y", tables={table: OwnedTable(key=[]) for table in tables}
    )


def test_rows_are_copied_as_they_are(tmp_path: Path) -> None:
    source, target = make(tmp_path / "m.db", MONOLITH), make(tmp_path / "s.db", SERVICE)
    for _ in range(2):  # Loading twice is as loading once.
        assert load_tables(source, target, "garden", manifest("bed", "sown", "kept").tables) == 6
    connection = sqlite3.connect(target)
    assert connection.execute("SELECT * FROM bed").fetchall() == [
        (1, "north", 1.5, "north!"),
        (2, "south", 1e300, "south!"),
    ]
    assert connection.execute("SELECT rowid, * FROM sown").fetchall() == [
        (1, 2, "leek"),
        (2, 1, b"\x00\xff"),
        (3, 1, None),
    ]
    assert connection.execute("SELECT * FROM kept").fetchall() == [("a", 1)]
    assert connection.execute("SELECT * FROM events").fetchall() == []
    connection.execute("INSERT INTO bed (name) VALUES ('new')")
    assert connection.execute("SELECT MAX(id) FROM bed").fetchone() == (4,)
    assert connection.execute("SELECT * FROM events").fetchall() == [("new",)]


def test_tables_that_do_not_fit(tmp_path: Path) -> None:
    source = make(tmp_path / "m.db", MONOLITH)
    target = make(tmp_path / "s.db", "CREATE TABLE bed (id INTEGER); CREATE TABLE lost (id)")
    with pytest.raises(OperationError, match="table bed of garden has the columns id, name, area"):
        load_tables(source, target, "garden", manifest("bed").tables)
    with pytest.raises(OperationError, match="the database that is read has no table lost of"):
        load_tables(source, target, "garden", manifest("lost").tables)
    with pytest.raises(OperationError, match="is filled has no table foreign_one of garden"):
        load_tables(source, target, "garden", manifest("foreign_one").tables)


def test_files_go_where_they_are_named(tmp_path: Path) -> None:
    source = tmp_path / "data"
    (source / "media/small").mkdir(parents=True)
    (source / "media/small/a.png").write_text("a")
    (source / "list.txt").write_text("l")
    named = ServiceManifest(
        name="garden", application="x:y", environment={"MEDIA": "{data}/media", "OTHER": "{port:x}"}
    )
    load_files(source, tmp_path / "files", named)
    found = sorted(str(p.relative_to(tmp_path / "files")) for p in (tmp_path / "files").rglob("*"))
    assert found == ["media", "media/small", "media/small/a.png"]

"""The schema of each service, checked by what SQLite makes of it."""

from __future__ import annotations

import sqlite3

import pytest

from migrator.generation.data import split_schema, without_unmade
from migrator.generation.ddl import read_table
from migrator.model.errors import PlanError
from migrator.model.plan import Plan, Replica, Service
from migrator.model.program import Access, EntryPoint, Program
from migrator.model.schema import Schema, SchemaObject

MONOLITH = """
CREATE TABLE members (
    id INTEGER NOT NULL, -- the key, (it counts)
    "e mail" VARCHAR(20) COLLATE NOCASE NOT NULL,
    born DATE DEFAULT (date('now')),
    year INTEGER GENERATED ALWAYS AS (CAST(substr(born, 1, 4) AS INTEGER)) STORED,
    PRIMARY KEY (id),
    CONSTRAINT one_mail UNIQUE ("e mail")
);
CREATE TABLE plans (code TEXT PRIMARY KEY, price NUMERIC(8, 2) CHECK (price >= 0));
CREATE TABLE invoices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id INTEGER NOT NULL CONSTRAINT who REFERENCES members (id) ON DELETE CASCADE DEFAULT 1,
    plan TEXT REFERENCES plans NOT NULL,
    note TEXT DEFAULT 'a, b (c)',
    UNIQUE (member_id, plan),
    FOREIGN KEY(plan) REFERENCES plans (code)
    , CONSTRAINT who_again FOREIGN KEY(member_id) REFERENCES "members" (id)
);
CREATE UNIQUE INDEX one_note ON invoices (note) WHERE note IS NOT NULL;
CREATE INDEX by_plan ON invoices (plan, id DESC);
CREATE TRIGGER stamped AFTER INSERT ON invoices
BEGIN
    UPDATE invoices SET note = 'new' WHERE id = NEW.id;
END;
CREATE TABLE member_plans (member_id INTEGER, plan TEXT);
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL);
CREATE VIEW priced AS SELECT i.id, p.price FROM invoices i JOIN plans p ON p.code = i.plan;
"""


def schema_of(sql: str) -> Schema:
    database = sqlite3.connect(":memory:")
    database.executescript(sql)
    rows = database.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid"
    )
    return Schema(
        objects=tuple(SchemaObject(type=a, name=b, table=c, sql=d) for a, b, c, d in rows)
    )


def plan() -> Plan:
    return Plan(
        services={
            "billing": Service(
                tables=["invoices", "plans"],
                replicas={
                    "members": Replica(owner="people"),
                    "member_plans": Replica(owner="people"),
                },
            ),
            "people": Service(
                tables=["members", "member_plans"],
                replicas={"invoices": Replica(owner="billing"), "plans": Replica(owner="billing")},
            ),
        }
    )


def built(sql: str) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    database.executescript(sql)
    return database


def text_of(database: sqlite3.Connection, name: str) -> str:
    rows = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,))
    return str(rows.fetchone()[0])


def test_a_table_without_foreign_owners_keeps_its_text_to_the_letter() -> None:
    original = built(MONOLITH)
    people = built(split_schema(schema_of(MONOLITH), plan(), "people")["people"].schema_sql)
    for name in ("members", "member_plans", "alembic_version"):
        assert text_of(people, name) == text_of(original, name)


def test_only_foreign_keys_to_other_owners_go() -> None:
    billing = split_schema(schema_of(MONOLITH), plan(), "people")["billing"]
    kept = text_of(built(billing.schema_sql), "invoices")
    assert (
        kept
        == """CREATE TABLE invoices (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id INTEGER NOT NULL DEFAULT 1,
    plan TEXT REFERENCES plans NOT NULL,
    note TEXT DEFAULT 'a, b (c)',
    UNIQUE (member_id, plan),
    FOREIGN KEY(plan) REFERENCES plans (code)
)"""
    )
    assert billing.dropped_keys == [
        "invoices (member_id) -> members (id) of people ON DELETE CASCADE",
        "invoices (member_id) -> members (id) of people",
    ]


def test_indexes_triggers_and_views_go_with_their_tables() -> None:
    split = split_schema(schema_of(MONOLITH), plan(), "people")
    names = "SELECT type || ' ' || name FROM sqlite_master WHERE name NOT LIKE 'sqlite%' ORDER BY 1"
    billing = [row[0] for row in built(split["billing"].schema_sql).execute(names)]
    assert billing == [
        "index by_plan", "index one_note", "table invoices", "table plans", "trigger stamped",
        "view priced",
    ]  # fmt: skip
    copies = [row[0] for row in built(split["people"].replicas_sql).execute(names)]
    assert copies == [
        "index _replica_invoices_1", "index _replica_plans_1", "index by_plan", "index one_note",
        "table invoices", "table plans", "view priced",
    ]  # fmt: skip


def test_keys_are_those_that_sqlite_finds() -> None:
    split = split_schema(schema_of(MONOLITH), plan(), "people")
    assert split["people"].tables == {
        "members": ("id",),
        "member_plans": (),
        "alembic_version": (),
    }
    assert split["billing"].replica_keys == {"members": ("id",), "member_plans": ()}
    assert split["people"].replica_keys == {"invoices": ("id",), "plans": ("code",)}


def test_a_replica_refuses_no_row_and_sorts_as_its_owner() -> None:
    split = split_schema(schema_of(MONOLITH), plan(), "people")
    copy = built(split["people"].replicas_sql)
    for number in (3, 1, 2):
        copy.execute("INSERT INTO invoices VALUES (?, NULL, NULL, 'same')", (number,))
    assert [row[0] for row in copy.execute("SELECT * FROM invoices")] == [1, 2, 3]
    members = built(split["billing"].replicas_sql)
    members.execute("INSERT INTO members (id, \"e mail\", born) VALUES (1, 'A@x', '1990-04-02')")
    found = members.execute("SELECT year FROM members WHERE \"e mail\" = 'a@X'").fetchall()
    assert found == [(1990,)]


def test_a_table_that_the_schema_lacks_is_named() -> None:
    wrong = plan()
    wrong.services["people"].tables.append("ghosts")
    with pytest.raises(PlanError) as error:
        split_schema(schema_of(MONOLITH), wrong, "people")
    assert "'ghosts' of service 'people'" in str(error.value)
    assert "migrate" in error.value.hint


def test_what_cannot_be_split_is_refused_all_at_once() -> None:
    sql = MONOLITH + (
        "CREATE TRIGGER counted AFTER INSERT ON invoices BEGIN DELETE FROM members; END;"
        "CREATE VIEW owing AS SELECT * FROM invoices, members;"
        "CREATE VIEW everything AS SELECT * FROM member_plans, alembic_version, plans;"
    )
    without_replicas = plan()
    for service in without_replicas.services.values():
        service.replicas = {}
    with pytest.raises(PlanError) as error:
        split_schema(schema_of(sql), without_replicas, "people")
    messages = [problem.message for problem in error.value.problems]
    assert len(messages) == 3
    assert "trigger counted of invoices (service billing) uses members, which people" in messages[0]
    assert "view owing joins tables of billing, people" in messages[1]


def test_full_text_indexes_go_with_their_content() -> None:
    sql = MONOLITH + "CREATE VIRTUAL TABLE search USING fts5(note, content='invoices');"
    split = split_schema(schema_of(sql), plan(), "people")
    assert "fts5" in split["billing"].schema_sql
    assert "search" not in split["people"].schema_sql


@pytest.mark.parametrize("name", ["members", "plans", "invoices", "member_plans"])
def test_columns_types_and_keys_are_read_as_sqlite_reads_them(name: str) -> None:
    database = built(MONOLITH)
    rows = database.execute(f"PRAGMA table_xinfo({name})").fetchall()
    table = read_table(text_of(database, name))
    assert [column.name for column in table.columns] == [row[1] for row in rows]
    types = [row[2].removesuffix("GENERATED ALWAYS").strip() for row in rows]
    assert [column.type for column in table.columns] == types
    assert set(table.key) == {row[1] for row in rows if row[5]}
    foreign = database.execute(f"PRAGMA foreign_key_list({name})").fetchall()
    assert sorted(key.target for key in table.foreign_keys) == sorted(row[2] for row in foreign)


def test_a_table_that_is_neither_made_nor_used_is_left_out() -> None:
    """Its model stands in a module that the application never imports."""
    schema = schema_of("CREATE TABLE members (id INTEGER)")
    planned = Plan(services={"people": Service(tables=["members", "margins", "rates"])})
    reads = (Access(table="rates", path=(), file="shop.py", line=1),)
    entry = EntryPoint(
        name="route:rates", kind="route", handler="shop.rates", file="shop.py", line=1, reads=reads
    )
    program = Program(entry_points={entry.name: entry})
    without, gone = without_unmade(schema, planned, program)
    assert (without.services["people"].tables, gone) == (["members", "rates"], ["margins"])
    with pytest.raises(PlanError, match="table 'rates' of service 'people'"):
        split_schema(schema, without, "people")
    assert (
        without_unmade(schema, Plan(services={"people": Service(tables=["members"])}), program)[1]
        == []
    )

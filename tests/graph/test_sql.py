"""What `migrator.graph.effects.sql` reads out of SQL texts of several dialects."""

from __future__ import annotations

import pytest

from migrator.graph.effects.sql import HOLE, looks_like_sql, read_sql


def effects(text: str) -> set[str]:
    """`kind operation table(columns)` of every access, as one readable set."""
    return {
        " ".join(
            part
            for part in (
                access.kind,
                access.operation,
                access.table + (f"({','.join(access.columns)})" if access.columns else ""),
            )
            if part
        )
        for access in read_sql(text).accesses
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "select a.x, b.y from users a join orders b on a.id = b.uid where a.z = :z",
            {"read users(id,x,z)", "read orders(uid,y)"},
        ),
        ("select * from main.users", {"read users"}),
        ("select x from billing.users", {"read billing.users(x)"}),
        ("INSERT INTO t (a, b) VALUES (%s, %(x)s)", {"write insert t(a,b)"}),
        (
            "SELECT EXTRACT(month FROM t.a) FROM t WHERE b = %(x)s::UUID AND t.a < "
            "%(y)s::TIMESTAMP WITHOUT TIME ZONE",
            {"read t(a,b)"},
        ),
        ("INSERT INTO t SELECT * FROM u", {"write insert t", "read u"}),
        ("INSERT IGNORE INTO t VALUES (1)", {"write insert t"}),
        ("INSERT OR REPLACE INTO t VALUES (?)", {"write insert t", "write delete t"}),
        ("REPLACE INTO t VALUES (1)", {"write insert t", "write delete t"}),
        (
            "insert into t (a) values (1) on conflict (a) do update set b = excluded.b",
            {"write insert t(a)", "write update t(b)"},
        ),
        (
            "update t set a = a + 1 where id in (select tid from u)",
            {"write update t(a)", "read u(tid)"},
        ),
        ("UPDATE t SET a = 1 FROM u WHERE u.id = t.id", {"write update t(a)", "read u"}),
        ("UPDATE a JOIN b ON a.id = b.id SET b.x = 1", {"write update b(x)", "read a"}),
        ("DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM v)", {"write delete t", "read v"}),
        ("DELETE FROM t USING u WHERE t.id = u.id", {"write delete t", "read u"}),
        ("TRUNCATE TABLE a, b", {"write delete a", "write delete b"}),
        (
            "WITH x AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM x JOIN c ON 1 = 1",
            {"write delete a", "write insert b", "read c"},
        ),
        (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT * FROM t, kept",
            {"read kept"},
        ),
        (
            "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1"
            " WHEN NOT MATCHED THEN INSERT (a) VALUES (1)",
            {"write insert t", "write update t", "read s"},
        ),
        ("SELECT name FROM t WHERE note = 'delete from x; update y'", {"read t(name,note)"}),
        ("-- first\nupdate a set x = 1; delete from b", {"write update a(x)", "write delete b"}),
        ("CREATE TABLE a AS SELECT x FROM b", {"read b(x)"}),
    ],
)
def test_accesses_of_statements(text: str, expected: set[str]) -> None:
    assert effects(text) == expected


def test_a_hole_hides_columns_but_no_table() -> None:
    found = read_sql(f"SELECT a FROM t WHERE b = 1 {HOLE} {HOLE} LIMIT 3")
    assert [(access.table, access.columns) for access in found.accesses] == [("t", ())]
    assert found.problem == ""


def test_a_hole_for_a_table_is_a_problem_and_no_guess() -> None:
    found = read_sql(f"UPDATE {HOLE} SET x = 1; DELETE FROM k")
    assert effects(f"UPDATE {HOLE} SET x = 1; DELETE FROM k") == {"write delete k"}
    assert found.problem == "dynamic table name"


def test_what_no_dialect_parses_is_scanned_for_writes() -> None:
    text = "UPDATE t SET (((broken WHERE x = 1"
    assert effects(text) == {"write update t"}
    assert read_sql(text).problem == "unparsed SQL"


def test_transaction_words() -> None:
    assert read_sql("BEGIN; UPDATE a SET x = 1; COMMIT").control == ("begin", "commit")
    assert read_sql("ROLLBACK").control == ("rollback",)
    assert read_sql("ROLLBACK TO SAVEPOINT s").control == ()


def test_stored_procedures_are_named() -> None:
    assert read_sql("CALL settle(1)").problem == "stored procedure"


def test_create_table_with_keys() -> None:
    found = read_sql(
        "CREATE TABLE one (id INTEGER PRIMARY KEY);\n"
        "CREATE TABLE IF NOT EXISTS two (\n"
        "  uid INT NOT NULL REFERENCES one(id) ON DELETE CASCADE,\n"
        "  code TEXT UNIQUE,\n"
        "  FOREIGN KEY (code) REFERENCES three (code) ON DELETE SET NULL\n"
        ");"
    )
    one, two = found.tables
    assert (one.name, one.line, one.columns[0].primary_key) == ("one", 1, True)
    assert (two.name, two.line) == ("two", 2)
    assert (two.columns[0].references, two.columns[0].on_delete) == ("one.id", "CASCADE")
    assert not two.columns[0].nullable
    assert two.columns[1].unique
    assert [(key.table, key.on_delete) for key in two.foreign_keys] == [
        ("three", "SET NULL"),
        ("one", "CASCADE"),
    ]


def test_tables_that_a_script_renames_or_drops() -> None:
    """SQLite's way to change a table: a new one is filled and takes the place of the old one."""
    script = """
    CREATE TABLE new_books (id INTEGER, title TEXT);
    INSERT INTO new_books SELECT id, title FROM books;
    DROP TABLE books;
    ALTER TABLE new_books RENAME TO books;
    CREATE TABLE counted (id INTEGER);
    DROP TABLE IF EXISTS counted;
    """
    assert [(each.name, len(each.columns)) for each in read_sql(script).tables] == [("books", 2)]


def test_triggers_with_a_case_inside() -> None:
    found = read_sql(
        "CREATE TRIGGER tr AFTER INSERT ON a FOR EACH ROW WHEN NEW.x = 1 BEGIN"
        " UPDATE b SET n = CASE WHEN 1 THEN 2 END WHERE id = 1; INSERT INTO log VALUES (1); END;"
        " SELECT v FROM q"
    )
    (trigger,) = found.triggers
    assert (trigger.name, trigger.table, trigger.operation) == ("tr", "a", "insert")
    assert [access.table for access in trigger.accesses] == ["b", "log"]
    assert [access.table for access in found.accesses] == ["q"]


@pytest.mark.parametrize("text", ["", "hello world", "selected works", "a; drop"])
def test_other_texts_are_not_sql(text: str) -> None:
    assert not looks_like_sql(text)
    assert read_sql(text).accesses == ()

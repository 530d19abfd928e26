import sqlite3

from migrator.proof.tables import ColumnNoise, column_noise, differences, read_tables, without_key


def database(path, script):
    with sqlite3.connect(path) as db:
        db.executescript(script)
    return path


SCHEMA = """
create table person (id integer primary key, name text, seen text);
create table link (a int, b int);
create table _bookkeeping (x int);
"""


def test_rows_are_compared_by_key_and_bookkeeping_is_left_out(tmp_path):
    left = database(
        tmp_path / "a", SCHEMA + "insert into person values (1,'Ann','t'),(2,'Bob','t')"
    )
    right = database(tmp_path / "b", SCHEMA + "insert into person values (2,'Bo','u'),(3,'Cy','t')")
    a, b = read_tables(left), read_tables(right)
    assert set(a) == {"person", "link"}
    found = {
        (d.row, d.column, d.expected, d.found) for d in differences(a, b, set(), {"person": "s"})
    }
    assert found == {
        ("1", "(row)", "there", "missing"),
        ("2", "name", "'Bob'", "'Bo'"),
        ("2", "seen", "'t'", "'u'"),
        ("3", "(row)", "missing", "there"),
    }
    assert {d.owner for d in differences(a, b, set(), {"person": "s"})} == {"s"}


def test_columns_that_vary_on_the_monolith_alone_are_set_aside(tmp_path):
    left = database(tmp_path / "a", SCHEMA + "insert into person values (1,'Ann','t')")
    right = database(tmp_path / "b", SCHEMA + "insert into person values (1,'Ann','u')")
    noise = column_noise(read_tables(left), read_tables(right))
    assert noise == {ColumnNoise(table="person", column="seen")}
    assert differences(read_tables(left), read_tables(right), noise) == []


def test_a_table_without_a_key_is_compared_as_a_bag_of_rows(tmp_path):
    left = database(tmp_path / "a", SCHEMA + "insert into link values (1,1),(1,1),(2,1)")
    right = database(tmp_path / "b", SCHEMA + "insert into link values (2,1),(1,1)")
    found = differences(read_tables(left), read_tables(right), set())
    assert [(d.table, d.row, d.found) for d in found] == [("link", "1, 1, 2", "missing")]


def test_a_missing_table_is_a_difference(tmp_path):
    left = read_tables(database(tmp_path / "a", SCHEMA))
    assert [d.column for d in differences(left, {}, set())] == ["(table)", "(table)"]


def test_rows_in_another_order_are_equal_without_their_key(tmp_path):
    left = database(
        tmp_path / "a", SCHEMA + "insert into person values (1,'Ann','t'),(2,'Bob','t')"
    )
    right = database(
        tmp_path / "b", SCHEMA + "insert into person values (1,'Bob','t'),(2,'Ann','t')"
    )
    a, b = read_tables(left), read_tables(right)
    assert differences(a, b, set())
    bag = {name: without_key(content) for name, content in a.items()}
    assert (
        differences(bag, {name: without_key(content) for name, content in b.items()}, set()) == []
    )

"""Mappings, sessions and statements of SQLAlchemy: what they are read as."""

from __future__ import annotations

from pathlib import Path

import pytest
from analysed import program_of

from migrator.graph.effects.closure import Closure
from migrator.graph.effects.mapping import Mapping
from migrator.graph.effects.models import (
    ModelFact,
    RelationFact,
    TableFact,
    parse_cascades,
    snake_case,
)
from migrator.model.program import Column, Program

MODELS = """
    from sqlalchemy import Column, ForeignKey, Integer, JSON, String, Table, func, select, text
    from sqlalchemy import delete, insert, update
    from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column, relationship
    from sqlalchemy.orm import Session, declared_attr

    class Base(DeclarativeBase):
        pass

    tags = Table("book_tags", Base.metadata,
        Column("book_id", ForeignKey("books.id")), Column("tag_id", ForeignKey("tags.id")))

    class Stamped:
        changed: Mapped[int] = mapped_column(default=0)

        @declared_attr
        def editor_id(cls):
            return Column(ForeignKey("people.id", ondelete="SET NULL"))

    class Person(Base):
        __tablename__ = "people"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        books: Mapped[list["Book"]] = relationship(back_populates="author", cascade="all")

    class Book(Stamped, Base):
        __tablename__ = "books"
        id: Mapped[int] = mapped_column(primary_key=True)
        title: Mapped[str] = mapped_column("book_title", String(20))
        author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
        author: Mapped[Person] = relationship(back_populates="books", foreign_keys=[author_id])
        tags: Mapped[list["Tag"]] = relationship(secondary=tags, lazy="selectin")

    class Tag(Base):
        __tablename__ = "tags"
        id: Mapped[int] = mapped_column(primary_key=True)
        extra = Column(JSON)

    class Loan(Base):
        __tablename__ = "loans"
        id: Mapped[int] = mapped_column(primary_key=True)
        book_id: Mapped[int] = mapped_column(ForeignKey("books.id", ondelete="CASCADE"))

    session = Session()
"""

CASES = {
    "session.add(Tag())": ({}, {"tags"}),
    "session.delete(session.get(Tag, 1))": ({"tags"}, {"tags"}),
    "session.delete(session.get(Person, 1))": (
        {"people", "books", "book_tags", "tags"},
        {"people", "books", "book_tags", "loans"},
    ),
    "session.get(Book, 1)": ({"books", "book_tags", "tags"}, {}),
    "session.get(Person, 1).books": ({"people", "books", "book_tags", "tags"}, {}),
    "session.get(Book, 1).author.name": ({"books", "book_tags", "tags", "people"}, {}),
    "session.get(Person, 1).name = 'x'": ({"people"}, {"people"}),
    "session.get(Person, 1).other = 'x'": ({"people"}, {}),
    "session.get(Tag, 1).extra['a'] = 1": ({"tags"}, {"tags"}),
    "session.get(Book, 1).tags.append(session.get(Tag, 1))": (
        {"books", "book_tags", "tags"},
        {"book_tags"},
    ),
    "session.get(Person, 1).books.append(Book())": (
        {"people", "books", "book_tags", "tags"},
        {"books"},
    ),
    "session.execute(select(Person.name).where(Person.id == 1))": ({"people"}, {}),
    "session.execute(select(func.count(Loan.id)))": ({"loans"}, {}),
    "session.execute(select(aliased(Person)))": ({"people"}, {}),
    "session.execute(update(Person).values(name='x'))": ({}, {"people"}),
    "session.execute(delete(Book))": ({}, {"books", "loans"}),
    "session.execute(insert(Tag))": ({}, {"tags"}),
    "session.execute(tags.insert())": ({}, {"book_tags"}),
    "session.execute(Tag.__table__.delete())": ({}, {"tags"}),
    "session.execute(text('UPDATE loans SET id = 1 WHERE id IN (SELECT id FROM people)'))": (
        {"people"},
        {"loans"},
    ),
    "session.query(Person).filter(Person.books.any()).update({'name': 'x'})": (
        {"books", "book_tags", "tags"},
        {"people"},
    ),
    "[person.books for person in session.scalars(select(Person))]": (
        {"people", "books", "book_tags", "tags"},
        {},
    ),
    "Person(name='never added')": ({}, {}),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Program:
    functions = "\n".join(f"def case{i}():\n    {code}" for i, code in enumerate(CASES))
    root = tmp_path_factory.mktemp("library")
    (root / "cases.py").write_text(f"from library import *\n{functions}\n")
    return program_of(root, library=MODELS)


@pytest.mark.parametrize("code", CASES)
def test_what_a_statement_reads_and_writes(library: Program, code: str) -> None:
    closure = Closure(library)
    function = f"cases.case{list(CASES).index(code)}"
    reads, writes = CASES[code]
    assert closure.reads(function) == set(reads)
    assert closure.writes(function) == set(writes)


def test_tables_with_columns_of_mixins_and_declared_attributes(library: Program) -> None:
    books = library.tables["books"]
    assert books.model == "library.Book"
    columns = {column.name: column for column in books.columns}
    assert set(columns) == {"id", "book_title", "author_id", "changed", "editor_id"}
    assert columns["book_title"].attribute == "title"
    assert (columns["editor_id"].references, columns["editor_id"].on_delete) == (
        "people.id",
        "SET NULL",
    )
    assert {column.references for column in library.tables["book_tags"].columns} == {
        "books.id",
        "tags.id",
    }


def test_relationships_of_tables(library: Program) -> None:
    (books,) = library.tables["people"].relationships
    assert (books.name, books.target, books.many) == ("books", "library.Book", True)
    assert "delete" in books.cascades
    author, tags = library.tables["books"].relationships
    assert (author.name, author.many) == ("author", False)
    assert (tags.name, tags.secondary) == ("tags", "book_tags")


def test_a_script_that_reflects_a_table_does_not_define_it(tmp_path: Path) -> None:
    code = """
        from sqlalchemy import Column, Integer, MetaData, Table, create_engine, orm
        from sqlalchemy.orm import declarative_base

        class Old: pass

        def old_tables():
            orm.mapper(Old, Table("members", MetaData(create_engine("sqlite://")), autoload=True))

        class Member(declarative_base()):
            __tablename__ = "members"
            id = Column(Integer, primary_key=True)

        old_tables()
    """
    table = program_of(tmp_path, models=code).tables["members"]
    assert (table.line, table.model.rpartition(".")[2]) == (10, "Member")


def test_a_script_of_alembic_does_not_define_a_table(tmp_path: Path) -> None:
    """A revision declares a table as it once was, to move its rows."""
    program = program_of(
        tmp_path,
        migrations__env="from alembic import context",
        migrations__versions__a1="""
        import sqlalchemy as sa
        from sqlalchemy import orm
        Base = orm.declarative_base()
        class Shelf(Base):
            __tablename__ = "shelf"
            id = sa.Column(sa.Integer, primary_key=True)
            old = sa.Column(sa.Integer)
        paper = sa.Table("paper", sa.MetaData(), sa.Column("id", sa.Integer))
        """,
        migrations__shared="""
        import sqlalchemy as sa
        from sqlalchemy.orm import declarative_base
        class Label(declarative_base()):
            __tablename__ = "label"
            id = sa.Column(sa.Integer, primary_key=True)
        """,
        app__books="""
        from app.models import db
        class Book(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            shelf_id = db.Column(db.Integer, db.ForeignKey("shelf.id"))
            shelf = db.relationship("Shelf", cascade="all")
        """,
        app__models="""
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()
        class Shelf(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            books = db.relationship("Book", cascade="all, delete-orphan")
        """,
    )
    assert {name: table.file for name, table in program.tables.items()} == {
        "book": "app/books.py",
        "shelf": "app/models.py",
    }
    shelf = program.tables["shelf"]
    assert [column.name for column in shelf.columns] == ["id"]
    assert [each.target for each in shelf.relationships] == ["app.books.Book"]
    book = program.tables["book"]
    assert [each.target for each in book.relationships] == ["app.models.Shelf"]


def test_methods_of_a_mixin_write_the_table_of_their_receiver(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        models="""
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()

        class Kept:
            @classmethod
            def create(cls, **values):
                return cls(**values).keep()

            def keep(self):
                db.session.add(self)
                db.session.commit()
                return self

        class OneThing(Kept, db.Model):
            id = db.Column(db.Integer, primary_key=True)

        class Other(Kept, db.Model):
            id = db.Column(db.Integer, primary_key=True)

        def first():
            OneThing().keep()

        def second():
            Other.create()
        """,
    )
    closure = Closure(program)
    assert set(program.tables) == {"one_thing", "other"}
    assert closure.writes("models.first") == {"one_thing"}
    assert closure.writes("models.second") == {"other"}


def test_a_new_object_behind_a_relationship_is_inserted_too(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        models="""
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()

        class Address(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            street = db.Column(db.String)

            def __init__(self, street):
                self.street = street

        class Guest(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            address_id = db.Column(db.ForeignKey("address.id"))
            address = db.relationship(Address)

        def move():
            Guest.query.first().address = Address("Elm Street")
            db.session.commit()
        """,
    )
    assert Closure(program).writes("models.move") == {"address", "guest"}


def test_raw_connections_and_schema_files(tmp_path: Path) -> None:
    (tmp_path / "schema.sql").write_text("CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "schema.sql").write_text("CREATE TABLE made_up (id INTEGER);")
    program = program_of(
        tmp_path,
        notes="""
        import sqlite3

        def add(body, table="notes"):
            with sqlite3.connect("x.db") as connection:
                connection.execute("INSERT INTO Notes (body) VALUES (?)", (body,))

        def all_of(order):
            cursor = sqlite3.connect("x.db").cursor()
            return cursor.execute(f"SELECT id, body FROM notes ORDER BY {order}").fetchall()
        """,
    )
    closure = Closure(program)
    assert {name: table.file for name, table in program.tables.items()} == {"notes": "schema.sql"}
    assert {name.lower() for name in closure.writes("notes.add")} == {"notes"}
    assert closure.reads("notes.all_of") == {"notes"}


def test_a_session_listener_runs_with_every_commit(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()

        class Row(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        class Audit(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        @db.event.listens_for(db.session, "before_commit")
        def audit(session):
            session.add(Audit())

        def work():
            db.session.commit()
        """,
    )
    assert Closure(program).writes("app.work") == {"audit"}


@pytest.mark.parametrize(
    ("name", "table"),
    [("User", "user"), ("CamelCase", "camel_case"), ("HTTPLog", "http_log"), ("Box2D", "box2_d")],
)
def test_implicit_table_names_are_those_of_flask_sqlalchemy(name: str, table: str) -> None:
    assert snake_case(name) == table


def test_cascades_spelt_out() -> None:
    assert parse_cascades("all, delete-orphan") == (
        "delete",
        "delete-orphan",
        "expunge",
        "merge",
        "refresh-expire",
        "save-update",
    )
    assert parse_cascades("") == ()


def test_a_delete_follows_the_database_transitively() -> None:
    tables = {
        "a": TableFact("a"),
        "b": TableFact("b", references=[("a", "CASCADE")]),
        "c": TableFact("c", references=[("b", "SET NULL")], columns=[Column(name="b_id")]),
        "d": TableFact("d", references=[("c", "CASCADE")]),
    }
    mapping = Mapping({"A": ModelFact("A", "a")}, tables)
    touched = {(each.table, each.operation) for each in mapping.delete("A", "session.delete")}
    assert touched == {("a", "delete"), ("b", "delete"), ("c", "update")}


def test_a_passive_delete_leaves_children_to_the_database() -> None:
    tables = {"a": TableFact("a"), "b": TableFact("b", references=[("a", "")])}
    relation = RelationFact("bs", "B", passive_deletes=True)
    models = {"A": ModelFact("A", "a", relations={"bs": relation}), "B": ModelFact("B", "b")}
    touched = Mapping(models, tables).delete("A", "session.delete")
    assert [(each.kind, each.table) for each in touched] == [("write", "a")]


def test_what_only_keywords_tell_is_likely(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        import sqlite3
        from flask import Flask
        app = Flask(__name__, static_folder=None)

        @app.get("/")
        def home():
            sqlite3.connect("x").execute("UPDATE shelf SET ((( = 1 FROM %%% WHERE")
            sqlite3.connect("x").execute("SELECT name FROM title")
            return ""
        """,
    )
    home = program.entry_points["route:home"]
    assert [(each.table, each.confidence) for each in home.writes] == [("shelf", "likely")]
    assert [(each.table, each.confidence) for each in home.reads] == [("title", "proven")]


def test_a_registry_has_every_mapped_class(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        shelf="""
        from flask_sqlalchemy import SQLAlchemy

        db = SQLAlchemy()

        class Owned(db.Model):
            __abstract__ = True

        class Book(Owned):
            id = db.Column(db.Integer, primary_key=True)

        class Loan(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            registry = db.Column(db.String)

        def every():
            found = {}
            for mapper in db.Model.registry.mappers:
                class_ = mapper.class_
                if issubclass(class_, Owned):
                    found[class_.__tablename__] = class_
            return found

        def counted():
            return [each.query.count() for each in every().values()]

        def emptied():
            for mapper in Owned.registry.mappers:
                db.session.execute(mapper.local_table.delete())

        def named():
            for each in db.Model._decl_class_registry.values():
                each.query.all()

        def a_column():
            return Loan.query.filter(Loan.registry == "x").all()
        """,
    )
    closure = Closure(program)
    both = {"book", "loan"}
    assert closure.reads("shelf.counted") == closure.reads("shelf.named") == both
    assert closure.writes("shelf.emptied") == both
    assert closure.reads("shelf.a_column") == {"loan"}

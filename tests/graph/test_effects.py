"""Effects through calls: evidence, hooks, signals, tasks, schedules, outside systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from analysed import program_of, touches

from migrator.graph.effects.closure import Closure
from migrator.model.program import Event, Function, Program


def function(name: str, *events: Event, raises: tuple[str, ...] = ()) -> Function:
    return Function(name=name, file="f.py", line=1, end_line=2, events=events, raises=raises)


def call(target: str, variant: str = "") -> Event:
    return Event(kind="call", target=target, variant=variant, line=1)


def write(table: str) -> Event:
    return Event(kind="write", target=table, line=2, operation="insert")


def test_a_closure_follows_calls_and_cycles() -> None:
    functions = {
        "a": function("a", call("b"), call("outside")),
        "b": function("b", call("c"), write("t"), raises=("Oops",)),
        "c": function("c", call("b"), Event(kind="read", target="u", line=1)),
        "d": function("d", Event(kind="commit", line=1)),
    }
    closure = Closure(Program(functions=functions))
    assert closure.writes("a") == {"t"}
    assert closure.reads("b") == {"u"}
    assert closure.callees("a") == {"b", "c"}
    assert closure.path("a", "c") == ("a", "b", "c")
    assert closure.path("c", "a") == ()
    assert closure.raises("a") == {"Oops"}
    assert closure.commits("d")
    assert not closure.commits("a")


def test_a_call_leads_to_the_variant_that_it_names() -> None:
    program = Program(
        functions={
            "save": function("save", write("t"), write("u")),
            "one": function("one", call("save", "save[T]")),
            "any": function("any", call("save")),
        },
        variants={"save[T]": function("save", write("t"))},
    )
    closure = Closure(program)
    assert closure.writes("one") == {"t"}
    assert closure.writes("any") == {"t", "u"}
    assert closure.event_writes(program.functions["one"].events[0]) == {"t"}
    assert closure.evidence(["one"])["write", "t", "insert"].path == ("one", "save")


def test_evidence_is_the_shortest_way() -> None:
    functions = {
        "view": function("view", call("far"), call("near")),
        "far": function("far", call("near")),
        "near": function("near", write("t")),
    }
    closure = Closure(Program(functions=functions))
    assert closure.evidence(["view"])["write", "t", "insert"].path == ("view", "near")


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return program_of(
        tmp_path_factory.mktemp("post"),
        post____init__="",
        post__models="""
        from flask_sqlalchemy import SQLAlchemy
        db = SQLAlchemy()

        class Letter(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            state = db.Column(db.String)

        class Stamp(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        class Clerk(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            name = db.Column(db.String)
        """,
        post__tasks="""
        import requests
        from celery import Celery
        from post.models import Letter, Stamp, db
        celery = Celery("post")

        @celery.task(name="post.sort")
        def sort(letter_id):
            Letter.query.get(letter_id).state = "sorted"
            db.session.commit()
            requests.post("https://carrier.example/pick-up")

        def nightly():
            Stamp.query.delete()
            db.session.commit()
        """,
        post__app="""
        import os
        import threading
        from apscheduler.schedulers.background import BackgroundScheduler
        from flask import Flask, g
        from flask_login import LoginManager, current_user, login_required
        from post.models import Clerk, Letter, db
        from post.tasks import nightly, sort

        app = Flask(__name__, static_folder=None)
        app.config["QUEUE"] = os.environ.get("QUEUE_URL", "")
        login = LoginManager(app)
        scheduler = BackgroundScheduler()
        scheduler.add_job(nightly, "cron", id="stamps")

        @login.user_loader
        def load(clerk_id):
            return Clerk.query.get(clerk_id)

        @app.post("/letters")
        @login_required
        def send():
            letter = Letter()
            db.session.add(letter)
            db.session.commit()
            sort.delay(letter.id)
            return ""

        @app.get("/me")
        def me():
            return current_user.name

        @app.put("/me")
        def rename():
            current_user.name = "x"
            db.session.commit()
            return ""

        @app.get("/open")
        def free():
            return os.environ["PLACE"]

        def watch():
            Letter.query.first()

        threading.Thread(target=watch, daemon=True).start()
        """,
    )


def test_a_task_is_an_entry_point_of_its_own(post: Program) -> None:
    assert touches(post.entry_points["route:send"].writes) == {"letter insert"}
    assert touches(post.entry_points["task:post.sort"].writes) == {"letter update"}
    (emitted,) = [e for e in post.functions["post.app.send"].events if e.kind == "emit"]
    assert emitted.target == "post.sort"


def test_schedules_of_a_scheduler_and_of_threads(post: Program) -> None:
    assert touches(post.entry_points["schedule:stamps"].writes) == {"stamp delete"}
    assert post.entry_points["schedule:stamps"].trigger == "cron"
    assert touches(post.entry_points["schedule:post.app.watch"].reads) == {"letter"}


def test_the_loader_runs_where_somebody_must_be_signed_in(post: Program) -> None:
    assert touches(post.entry_points["route:send"].reads, hooks=True) == {"clerk", "letter"}
    assert touches(post.entry_points["route:me"].reads) == {"clerk"}
    assert touches(post.entry_points["route:rename"].writes) == {"clerk update"}
    assert touches(post.entry_points["route:free"].reads, hooks=True) == set()
    assert "post.app.load" in post.hooks


def test_outside_systems_and_the_environment(post: Program) -> None:
    assert post.externals["http carrier.example"] == ["post.tasks.sort"]
    assert set(post.environment) >= {"QUEUE_URL", "PLACE"}


def test_functions_that_an_entry_point_reaches(post: Program) -> None:
    assert post.entry_points["route:send"].functions == ("post.app.load", "post.app.send")


def test_accesses_carry_place_and_path(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        import sqlite3
        from flask import Flask
        app = Flask(__name__, static_folder=None)
        db = sqlite3.connect("x")

        def store():
            db.execute("INSERT INTO t (a) VALUES (1)")

        @app.post("/")
        def view():
            store()
            return ""
        """,
    )
    (access,) = program.entry_points["route:view"].writes
    assert access.path == ("app.view", "app.store")
    assert (access.file, access.line, access.columns) == ("app.py", 8, ("a",))


def test_a_schema_reads_what_it_dumps(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from flask_sqlalchemy import SQLAlchemy
        from marshmallow import Schema, fields
        db = SQLAlchemy()

        class Author(db.Model):
            id = db.Column(db.Integer, primary_key=True)

        class Book(db.Model):
            id = db.Column(db.Integer, primary_key=True)
            author_id = db.Column(db.ForeignKey("author.id"))
            writer = db.relationship(Author)

        class AuthorSchema(Schema):
            id = fields.Int()

        class BookSchema(Schema):
            by = fields.Nested(AuthorSchema, attribute="writer")

        def books():
            return BookSchema(many=True).dump(Book.query.all())
        """,
    )
    assert Closure(program).reads("app.books") == {"author", "book"}


def test_a_helper_of_very_many_callers_does_what_each_place_gives_it(tmp_path: Path) -> None:
    many = "\n".join(
        f"@app.post('/{number}')\ndef add_{number}():\n    return add('{number}')"
        for number in range(170)
    )
    program = program_of(
        tmp_path,
        app=f"""
import sqlite3
from flask import Flask
app = Flask(__name__, static_folder=None)
connection = sqlite3.connect("x.db")
connection.execute("CREATE TABLE things (name text)")
connection.execute("CREATE TABLE orders (name text)")
def run(query, values):
    return connection.execute(query, values)
def add(name):
    return run("INSERT INTO things (name) VALUES (?)", (name,))
def remove(name):
    run("DELETE FROM orders WHERE name = ?", (name,))
def find_and_remove(name):
    return remove(name)
def look_find_and_remove(name):
    return find_and_remove(name)
{many}
@app.delete("/<name>")
def drop(name):
    return look_find_and_remove(name)
""",
    )
    assert touches(program.entry_points["route:drop"].writes) == {"orders delete"}
    assert touches(program.entry_points["route:add_169"].writes) == {"things insert"}


def test_tables_that_are_made_elsewhere_are_those_that_statements_name(tmp_path: Path) -> None:
    code = """
import mysql.connector
from flask import Flask
app = Flask(__name__)
def opened():
    return mysql.connector.connect(host="db", database="school")
@app.route("/applicants")
def applicants():
    cursor = opened().cursor()
    cursor.execute("SELECT a.id, p.name FROM applicants a JOIN programs p ON p.id = a.program")
    return str(cursor.fetchall())
@app.route("/size")
def size():
    cursor = opened().cursor()
    cursor.execute("SELECT COUNT(*) FROM information_schema.tables")
    return str(cursor.fetchone())
"""
    known = program_of(tmp_path, app=code)
    assert {(each.name, each.line) for each in known.tables.values()} == {
        ("applicants", 10),
        ("programs", 10),
    }
    (tmp_path / "school.sql").write_text("CREATE TABLE applicants (id INTEGER PRIMARY KEY);")
    assert set(program_of(tmp_path, app=code).tables) == {"applicants"}

"""The probe, in processes of its own: what a command of the team's leaves in the records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from migrator.facts.observation.records import EntryRecord, Observation, read_session
from migrator.facts.observation.session import new_session, observed_environment

PYTHON = os.environ.get("OBSERVED_PYTHON", sys.executable)
"""An interpreter with Flask, click and SQLAlchemy; the probe must work on any from 3.8 on."""


class Observed:
    """A project whose commands are run under observation."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.session = new_session(root)
        self.environment = observed_environment(
            root, self.session, {**os.environ, "MIGRATOR_OBSERVE_DEBUG": "1"}
        )

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / f"{name.replace('__', '/')}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [PYTHON, *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr, done.stderr
        return done.stdout

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [PYTHON, *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self) -> Observation:
        return read_session(self.session, self.root)


@pytest.fixture
def project(tmp_path: Path) -> Observed:
    root = tmp_path / "project"
    root.mkdir()
    return Observed(root)


def ways(entry: EntryRecord) -> set[tuple[str, tuple[str, ...], bool]]:
    """Statements with the functions on their stack, and whether below the handler."""
    return {
        (each.statement, tuple(code.qualname for code in each.path), each.handled)
        for each in entry.executions
    }


def calls(entry: EntryRecord) -> dict[tuple[str, str], int]:
    return {(each.caller.qualname, each.callee.qualname): n for each, n in entry.calls.items()}


def test_counts_statements_and_calls_of_a_plain_module(project: Observed) -> None:
    project.write(
        store="""
            import sqlite3
            connection = sqlite3.connect(":memory:")
            connection.execute("CREATE TABLE stock (id INTEGER, name TEXT)")

            def put(name):
                with connection:
                    connection.cursor().execute("INSERT INTO stock (name) VALUES (?)", (name,))

            def put_all(names):
                for name in names:
                    put(name)
        """,
        fill="""
            import store
            store.put_all(["a", "b", "c"])
            print(store.connection.execute("SELECT COUNT(*) FROM stock").fetchone()[0])
        """,
    )
    assert project.run("-m", "fill").strip() == "3"
    seen = project.read()
    entry = seen.entries["process", "fill.py"]
    assert ("INSERT INTO stock (name) VALUES (?)", ("", "put_all", "put"), False) in ways(entry)
    assert calls(entry)["put_all", "put"] == 3
    inserted = [n for each, n in entry.executions.items() if "INSERT" in each.statement]
    assert inserted == [3]
    assert not seen.failures and not seen.torn


def test_folders_of_files_that_are_read_and_written(project: Observed) -> None:
    """By whichever call of the standard library; names of files are never kept."""
    project.write(
        pictures="""
            import os, pathlib, shutil

            def put():
                os.makedirs("shop/pictures", exist_ok=True)
                with open("shop/pictures/secret.png", "wb") as file:
                    file.write(b"x")
                pathlib.Path("shop/pictures/a.png").write_text("x")

            def drop():
                os.replace("shop/pictures/a.png", "shop/b.png")
                os.unlink("shop/b.png")

            def look():
                return open("shop/pictures/secret.png").read() + open("/dev/null").read()

            def log():
                open("shop/run.log", "w").close()
        """,
        fill="""
            import pictures
            pictures.put(), pictures.drop(), pictures.look(), pictures.log()
        """,
    )
    project.run("-m", "fill")
    seen = project.read()
    touched = {
        (each.kind, each.folder, each.path[-1].qualname)
        for each in seen.entries["process", "fill.py"].touches
    }
    assert touched == {
        ("write", "shop/pictures", "put"),
        ("write", "shop/pictures", "drop"),
        ("write", "shop", "drop"),
        ("read", "shop/pictures", "look"),
    }
    assert not seen.failures and not seen.torn
    text = "".join(each.read_text() for each in project.session.glob("*.jsonl"))
    assert "secret" not in text


def test_no_parameter_and_no_literal_is_kept(project: Observed) -> None:
    project.write(
        leak="""
            import sqlite3
            connection = sqlite3.connect(":memory:")
            connection.executescript("CREATE TABLE t (a TEXT); INSERT INTO t VALUES ('s3cret');")
            connection.execute("SELECT a FROM t WHERE a = 'hunter''2' AND 4711 = ?", ("topsecret",))
            connection.executemany("DELETE FROM t WHERE a IN (?, ?, ?)", [("pass", "word", "x")])
        """
    )
    project.run("leak.py")
    text = "".join(each.read_text() for each in project.session.glob("*.jsonl"))
    for secret in ("s3cret", "hunter", "topsecret", "pass", "4711"):
        assert secret not in text
    assert "DELETE FROM t WHERE a IN (?)" in text


FLASK = """
    import sqlite3
    from flask import Flask, g, abort
    app = Flask(__name__)

    def database():
        return sqlite3.connect("data.sqlite", isolation_level=None)

    @app.before_request
    def seen():
        database().execute("UPDATE member SET seen = 1")

    def titles():
        return database().execute("SELECT name FROM title").fetchall()

    @app.get("/titles/<int:number>")
    def title(number):
        if number > 1:
            abort(404)
        found = titles()
        return {"count": len(found)}

    @app.get("/stream")
    def stream():
        def lines():
            for name, in titles():
                yield name
        return app.response_class(lines())
"""
SCHEMA = "CREATE TABLE member (seen INTEGER); CREATE TABLE title (name TEXT);"


def test_attributes_to_routes_and_tells_hooks_from_handlers(project: Observed) -> None:
    project.write(
        shop=FLASK,
        drive=f"""
            import sqlite3, shop
            sqlite3.connect("data.sqlite").executescript({SCHEMA!r})
            client = shop.app.test_client()
            for path in ("/titles/1", "/titles/2", "/stream", "/nowhere"):
                client.get(path).data
        """,
    )
    project.run("-m", "drive")
    seen = project.read()
    title = seen.entries["route", "title"]
    assert title.runs == 2
    assert ways(title) == {
        ("UPDATE member SET seen = 0", ("seen",), False),
        ("SELECT name FROM title", ("title", "titles"), True),
    }
    handler = next(code for code in title.entered if code.qualname == "title")
    assert {arm for code, arm in title.taken if code == handler} == {0, 1, 2}
    assert seen.arms[handler] == 3
    stream = seen.entries["route", "stream"]
    assert ("SELECT name FROM title", ("stream.lines", "titles"), True) in ways(stream)
    assert ("unrouted", "") in seen.entries


def title_asked_by_a_test(project: Observed, step: str) -> EntryRecord:
    """The entry of a request that a test makes by a step of Flask's, before it does more."""
    project.write(
        shop=FLASK,
        drive=f"""
            import sqlite3, shop
            sqlite3.connect("data.sqlite").executescript({SCHEMA!r})
            with shop.app.test_request_context("/titles/1"):
                shop.app.{step}()
                shop.database().execute("DELETE FROM title")
        """,
    )
    project.run("-m", "drive")
    return project.read().entries["route", "title"]


def test_what_follows_a_request_that_a_test_dispatches_itself_is_none_of_it(
    project: Observed,
) -> None:
    title = title_asked_by_a_test(project, "full_dispatch_request")
    assert ways(title) == {
        ("UPDATE member SET seen = 0", ("seen",), False),
        ("SELECT name FROM title", ("title", "titles"), True),
    }


def test_a_test_may_take_the_steps_of_a_request_itself(project: Observed) -> None:
    title = title_asked_by_a_test(project, "dispatch_request")
    assert ways(title) == {("SELECT name FROM title", ("title", "titles"), True)}


def test_what_a_test_has_not_saved_is_no_deed_of_the_request_that_saves_it(
    project: Observed,
) -> None:
    project.write(
        shop="""
            from functools import partial
            from flask import Flask
            from sqlalchemy import Column, Integer, create_engine, select
            from sqlalchemy.orm import Session, declarative_base
            from sqlalchemy.pool import StaticPool
            Base = declarative_base()

            class Item(Base):
                __tablename__ = "items"
                id = Column(Integer, primary_key=True)

            class Sale(Base):
                __tablename__ = "sales"
                id = Column(Integer, primary_key=True)

            engine = create_engine(
                "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
            )
            Base.metadata.create_all(engine)
            session = Session(engine)
            app = Flask(__name__)
            app.before_request(partial(session.scalar, select(Item.id).where(Item.id == 99)))

            @app.post("/sales")
            def sell():
                session.add(Sale())
                session.commit()
                return ""
        """,
        drive="""
            import shop
            shop.session.add(shop.Item())
            client = shop.app.test_client()
            client.post("/sales")
            client.post("/sales")
        """,
    )
    project.run("-m", "drive")
    seen = {each[0] for each in ways(project.read().entries["route", "sell"])}
    assert "INSERT INTO sales DEFAULT VALUES" in seen
    assert not any("INSERT INTO items" in each for each in seen)


def test_each_server_process_and_thread_writes_records_of_its_own(project: Observed) -> None:
    project.write(
        shop=FLASK,
        drive=f"""
            import os, sqlite3, threading, shop
            sqlite3.connect("data.sqlite").executescript({SCHEMA!r})
            child = os.fork()
            if child == 0:
                shop.app.test_client().get("/titles/1")
                os._exit(0)
            os.waitpid(child, 0)

            def ask():
                for _ in range(20):
                    shop.app.test_client().get("/titles/1")

            threads = [threading.Thread(target=ask) for _ in range(4)]
            [each.start() for each in threads]
            [each.join() for each in threads]
        """,
    )
    project.run("drive.py")
    seen = project.read()
    assert seen.processes == 2
    assert seen.entries["route", "title"].runs == 81
    assert sum(n for e, n in seen.entries["route", "title"].executions.items() if e.handled) == 81


def test_a_killed_process_leaves_what_it_had_learnt(project: Observed) -> None:
    project.write(
        shop=FLASK,
        drive=f"""
            import sqlite3, time, shop
            sqlite3.connect("data.sqlite").executescript({SCHEMA!r})
            shop.app.test_client().get("/titles/1")
            print("ready", flush=True)
            time.sleep(60)
        """,
    )
    process = project.start("drive.py")
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    title = project.read().entries["route", "title"]
    assert ("SELECT name FROM title", ("title", "titles"), True) in ways(title)


def test_parts_of_expressions_are_arms_and_keep_their_values(project: Observed) -> None:
    project.write(
        parts="""
            def yes():
                return 3

            def choose(flag, *others):
                a = yes() if flag else yes() + 1
                b = flag and yes() or others and others[0].bit_length()
                c = [x for x in others if x and yes()]
                d = f"{yes() if flag else 0}"
                e = lambda: yes() if flag else yes()
                return a, b, c, d, e(), flag and 7, flag or None
        """,
        drive="""
            import parts
            print(parts.choose(False), parts.choose(False, 4, 0))
        """,
    )
    assert project.run("-m", "drive") == (
        "(4, (), [], '0', 3, False, None) (4, 3, [4], '0', 3, False, None)\n"
    )
    seen = project.read()
    entry = seen.entries["process", "drive.py"]
    choose = next(code for code in entry.entered if code.qualname == "choose")
    taken = {arm for code, arm in entry.taken if code == choose}
    assert (seen.arms[choose], len(taken)) == (10, 6)


def test_a_block_that_an_exception_left_did_not_run_whole(project: Observed) -> None:
    project.write(
        parts="""
            def refuse(number):
                if number > 1:
                    raise LookupError(number)
                return number

            def remove(number):
                with open("log", "a") as log:
                    found = refuse(number)
                    log.write(str(found))
        """,
        drive="""
            import parts
            try:
                parts.remove(2)
            except LookupError:
                parts.refuse(0)
        """,
    )
    project.run("-m", "drive")
    seen = project.read()
    entry = seen.entries["process", "drive.py"]
    whole = {
        code.qualname: {arm for other, arm in entry.taken if other == code}
        == set(range(seen.arms[code]))
        for code in entry.entered
        if code.file == "parts.py" and code.qualname
    }
    assert whole == {"refuse": True, "remove": False}


def test_work_of_threads_and_pools_counts_for_the_route_that_started_it(project: Observed) -> None:
    project.write(
        shop="""
            import sqlite3, threading
            from concurrent.futures import ThreadPoolExecutor
            from flask import Flask
            app = Flask(__name__)
            pool = ThreadPoolExecutor(1)

            def note(table):
                sqlite3.connect(":memory:").execute("SELECT '%s' FROM sqlite_master" % table)

            @app.get("/thread")
            def in_thread():
                thread = threading.Thread(target=note, args=("a",))
                thread.start()
                thread.join()
                return ""

            @app.get("/pool")
            def in_pool():
                pool.submit(note, "b").result()
                return ""
        """,
        drive="""
            import shop
            client = shop.app.test_client()
            for path in ("/pool", "/thread", "/pool"):
                client.get(path)
        """,
    )
    project.run("drive.py")
    entries = project.read().entries
    assert sum(entries["route", "in_thread"].executions.values()) == 1
    assert sum(entries["route", "in_pool"].executions.values()) == 2


def test_commands_are_named_by_their_function(project: Observed) -> None:
    project.write(
        tool="""
            import sqlite3, click

            @click.group()
            def cli():
                pass

            @cli.command("tidy-up")
            def tidy():
                sqlite3.connect(":memory:").execute("SELECT 1")

            if __name__ == "__main__":
                cli(["tidy-up"])
        """
    )
    project.run("-m", "tool")
    entry = project.read().entries["command", "tidy-up"]
    assert entry.function == "__main__:tidy"
    assert sum(entry.executions.values()) == 1


def test_sqlalchemy_statements_are_seen_once(project: Observed) -> None:
    project.write(
        models="""
            from sqlalchemy import Column, Integer, create_engine, select
            from sqlalchemy.orm import Session, declarative_base
            Base = declarative_base()

            class Row(Base):
                __tablename__ = "row"
                id = Column(Integer, primary_key=True)

            engine = create_engine("sqlite://")
            Base.metadata.create_all(engine)

            def add():
                with Session(engine) as session:
                    session.add(Row())
                    session.commit()
                    connection = session.connection().connection
                    connection.cursor().execute("SELECT 1 FROM row")
        """,
        drive="""
            import models
            models.add()
        """,
    )
    project.run("-m", "drive")
    entry = project.read().entries["process", "drive.py"]
    added = {e: n for e, n in entry.executions.items() if e.path and e.path[-1].qualname == "add"}
    found = {e.statement.split()[0]: n for e, n in added.items()}
    assert found == {"INSERT": 1, "SELECT": 1}


def test_the_program_cannot_tell_that_it_is_observed(project: Observed) -> None:
    """Docstrings, tracebacks, star imports, `sitecustomize`, connection classes: as ever."""
    source = '''
        """The module's text."""
        from __future__ import annotations
        import inspect, sqlite3, sys, traceback

        def documented(a: int, *, b=2):
            """Its text."""
            if a:
                return b
            raise ValueError("line 10")

        class Thing:
            """A thing."""
            def method(self): "only text"

        class Own(sqlite3.Connection):
            pass

        if __name__ == "plain":
            print(__doc__, documented.__doc__, Thing.method.__doc__, inspect.signature(documented))
            print(inspect.getsource(documented).count("migrator"), sorted(globals()))
            try:
                documented(0)
            except ValueError:
                print(traceback.format_exc().replace(__file__, "FILE"))
            print(isinstance(sqlite3.connect(":memory:"), sqlite3.Connection))
            own = sqlite3.connect(":memory:", factory=Own)
            print(isinstance(own, Own), type(own).__name__)
            print(isinstance(own.cursor(), sqlite3.Cursor))
            print([each for each in sys.path if "probe" in each], "sitecustomize" in sys.modules)
            import sitecustomize
            print(sitecustomize.MARK)
    '''
    project.write(plain=source, start="import plain", site__sitecustomize="MARK = 'theirs'")
    site = str(project.root / "site")
    plain = subprocess.run(
        [PYTHON, "start.py"],
        cwd=project.root,
        env={**os.environ, "PYTHONPATH": site},
        check=False,
        capture_output=True,
        text=True,
    )
    assert plain.returncode == 0, plain.stderr
    project.environment = observed_environment(
        project.root, project.session, {**os.environ, "PYTHONPATH": site}
    )
    assert project.run("start.py") == plain.stdout


def test_a_hot_function_is_switched_off_and_the_program_stays_fast(project: Observed) -> None:
    project.write(
        hot="""
            def step(n):
                if n % 2:
                    return n - 1
                return n + 1

            def run(times):
                total = 0
                for each in range(times):
                    total += step(each)
                return total
        """,
        drive="""
            import time, hot
            began = time.perf_counter()
            hot.run(300_000)
            print(time.perf_counter() - began)
        """,
    )
    environment = project.environment
    observed = min(float(project.run("drive.py")) for _ in range(3))
    project.environment = dict(os.environ)
    plain = min(float(project.run("drive.py")) for _ in range(3))
    project.environment = environment
    assert observed < 2.5 * plain + 0.05


def test_modules_that_cannot_be_rewritten_fail_as_they_would(project: Observed) -> None:
    project.write(
        broken="def f(:\n",
        start="""
            try:
                import broken
            except SyntaxError as error:
                print(error.lineno)
        """,
    )
    assert project.run("start.py") == "1\n"


def test_nothing_is_written_where_nothing_of_the_project_runs(project: Observed) -> None:
    project.run("-c", "import json")
    assert list(project.session.iterdir()) == []

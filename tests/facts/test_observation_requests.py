"""What the probe records of requests: routes, hooks, steps that tests take, processes, threads."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from observed_project import Observed, ways

from migrator.facts.observation.records import EntryRecord


@pytest.fixture
def project(tmp_path: Path) -> Observed:
    root = tmp_path / "project"
    root.mkdir()
    return Observed(root)


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
                seen = Column(Integer, default=0)

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

            @app.get("/items")
            def items():
                for item in session.scalars(select(Item)):
                    item.seen += 1
                session.commit()
                return ""
        """,
        drive="""
            import shop
            shop.session.add(shop.Item())
            client = shop.app.test_client()
            client.post("/sales")
            client.post("/sales")
            shop.app.before_request_funcs.clear()
            shop.session.add(shop.Item())
            client.get("/items")
        """,
    )
    project.run("-m", "drive")
    entries = project.read().entries
    seen = {each[0] for each in ways(entries["route", "sell"])}
    assert "INSERT INTO sales DEFAULT VALUES" in seen
    assert not any("INSERT INTO items" in each for each in seen)
    asked = {each[0] for each in ways(entries["route", "items"])}
    assert not any("INSERT INTO items" in each for each in asked)
    assert any("UPDATE items" in each for each in asked)


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

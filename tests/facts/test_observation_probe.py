"""The probe, in processes of its own: what a command of the team's leaves in the records."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from observed_project import PYTHON, Observed, calls, ways

from migrator.facts.observation.session import observed_environment


@pytest.fixture
def project(tmp_path: Path) -> Observed:
    root = tmp_path / "project"
    root.mkdir()
    return Observed(root)


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

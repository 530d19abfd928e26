"""State in the process and on its disk."""

from __future__ import annotations

from pathlib import Path

import pytest
from analysed import program_of

from migrator.model.program import StateFinding


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, StateFinding]:
    program = program_of(
        tmp_path_factory.mktemp("state"),
        app="""
        import functools
        import os
        import secrets
        import threading
        from pathlib import Path
        from flask import Flask, current_app, request

        app = Flask(__name__)
        app.secret_key = secrets.token_hex(16)
        NAMES = {"a": 1}
        _cache = {}
        latest = None
        seen = []

        def remember(key, value):
            _cache[key] = value
            seen.append(key)
            return NAMES[key]

        def recall(key):
            return _cache.get(key)

        def choose(value):
            global latest
            latest = value

        @functools.lru_cache
        def slow(number):
            return number * 2

        def folder():
            return Path(current_app.config["UPLOAD_FOLDER"])

        @app.post("/files/<name>")
        def upload(name):
            (folder() / name).write_bytes(request.data)
            return ""

        @app.get("/files/<name>")
        def download(name):
            return (folder() / name).read_bytes()

        def log_line(text):
            with open("audit.log", "a") as file:
                file.write(text)

        def tick():
            pass

        threading.Timer(5, tick).start()
        """,
    )
    return {finding.name: finding for finding in program.state}


def test_mutables_that_are_written_and_no_others(findings: dict[str, StateFinding]) -> None:
    assert "app.NAMES" not in findings
    cache = findings["app._cache"]
    assert (cache.kind, cache.writers, cache.readers) == (
        "cache",
        ("app.remember",),
        ("app.recall",),
    )
    assert findings["app.seen"].kind == "module-mutable"
    assert findings["app.latest"].kind == "singleton"


def test_memoised_functions(findings: dict[str, StateFinding]) -> None:
    assert findings["app.slow"].kind == "cache"


def test_files_are_grouped_by_the_setting_of_their_folder(
    findings: dict[str, StateFinding],
) -> None:
    uploads = findings["UPLOAD_FOLDER"]
    assert (uploads.kind, uploads.writers, uploads.readers) == (
        "local-file",
        ("app.upload",),
        ("app.download",),
    )
    assert findings["app.log_line"].kind == "local-file"


def test_timers_and_secrets(findings: dict[str, StateFinding]) -> None:
    assert findings["app.tick"].kind == "timer"
    assert findings["app.app.secret_key"].kind == "secret"


def test_a_program_without_state(tmp_path: Path) -> None:
    program = program_of(tmp_path, app="LIMIT = 3\n\ndef f():\n    return LIMIT\n")
    assert program.state == []


def test_a_cache_object_is_one_finding_with_all_who_use_it(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        extensions="""
        from flask_caching import Cache

        cache = Cache()
        """,
        mill="""
        from extensions import cache

        class Stone:
            @classmethod
            @cache.cached(key_prefix="stones")
            def all(cls):
                return []

            @cache.memoize()
            def turns(self):
                return 1

            def forget(self):
                cache.delete_memoized(self.turns)

        def known(name):
            return cache.get(name)
        """,
    )
    (finding,) = program.state
    assert (finding.kind, finding.name, finding.line) == ("cache", "extensions.cache", 4)
    assert finding.writers == ("mill.Stone.all", "mill.Stone.forget", "mill.Stone.turns")
    assert finding.readers == ("mill.Stone.all", "mill.Stone.turns", "mill.known")


def test_whoever_answers_a_route_counts_for_a_limiter(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from flask import Flask
        from flask_limiter import Limiter

        app = Flask(__name__)
        limiter = Limiter(app, default_limits=["2/hour"])

        @app.get("/")
        def home():
            return ""
        """,
    )
    (finding,) = program.state
    assert (finding.kind, finding.name, finding.writers) == (
        "rate-limit",
        "app.limiter",
        ("app.home",),
    )


def test_a_cache_object_may_be_of_a_class_of_the_project_s_own(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from flask_caching import Cache

        class Store(Cache):
            pass

        store = Store()

        @store.memoize()
        def turns():
            return 1

        def forget():
            store.delete_memoized(turns)
        """,
    )
    (finding,) = program.state
    assert (finding.name, finding.detail) == ("app.store", "flask_caching.Cache")
    assert finding.writers == ("app.forget", "app.turns")


def test_a_decorator_of_the_project_s_own_is_no_memo(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        keeping="""
        def cache(pattern):
            def decorate(function):
                return function
            return decorate
        """,
        app="""
        import functools
        from keeping import cache
        import keeping

        class Page:
            @classmethod
            @cache("page:{}")
            def by_id(cls, number):
                return number

        @keeping.cache("x")
        def plain():
            return 1

        @functools.cache
        def kept():
            return 1
        """,
    )
    assert [each.name for each in program.state] == ["app.kept"]


def test_a_dictionary_of_a_decorator_is_kept_for_what_it_decorates(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        keeping="""
        def kept(kind):
            known = {}
            LIMITS = {"a": 1}

            def decorate(function):
                calls = dict()

                def wrapper(*args):
                    calls["n"] = LIMITS["a"]
                    if args not in known:
                        known[args] = function(*args)
                    return known[args]

                wrapper.forget = lambda: known.clear()
                return wrapper

            return decorate

        def collected(rows):
            found = {}

            def visit(row):
                found[row] = 1

            for row in rows:
                visit(row)
            return found
        """,
        app="""
        from keeping import collected, kept

        @kept("html")
        def page():
            return collected([1])

        @kept(None)
        def menu():
            return 2
        """,
    )
    assert [(each.name, each.line, each.writers) for each in program.state] == [
        ("keeping.kept.known", 3, ("app.menu", "app.page")),
        ("keeping.kept.decorate.calls", 7, ("app.menu", "app.page")),
    ]


def test_jobs_of_a_scheduler_that_lives_in_every_process(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
        from apscheduler.schedulers.background import BackgroundScheduler
        from celery import Celery
        from flask import Flask
        from flask_apscheduler import APScheduler

        app = Flask(__name__)
        scheduler = BackgroundScheduler()
        timed = APScheduler(app=app)
        celery = Celery(__name__)

        def sweep():
            pass

        @timed.task("interval", id="every", seconds=30)
        def count():
            pass

        @celery.task
        def of_a_worker():
            pass

        def start():
            def within():
                pass

            scheduler.add_job(sweep, trigger="interval", minutes=10)
            scheduler.add_job(within, "cron", hour=3)

        celery.conf.beat_schedule = {"beat": {"task": "app.of_a_worker", "schedule": 3.0}}
        """,
    )
    jobs = sorted(each.name for each in program.state if each.kind == "job")
    assert jobs == ["app.count", "app.start.within", "app.sweep"]


def test_folders_that_settings_constants_and_texts_name(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        shop____init__="",
        shop__settings="""
        import os
        from pathlib import Path

        BASE = Path(__file__).resolve().parent.parent

        class Base:
            UPLOADS = os.getenv("UPLOADS", BASE / "uploads")
            AVATARS = UPLOADS / "avatars"
        """,
        shop__web="""
        import os
        from flask import Flask, current_app, request, send_from_directory
        from shop.settings import BASE, Base

        app = Flask(__name__)
        app.config.from_object(Base)
        here = os.path.abspath(os.path.dirname(__file__))
        REPORTS = os.path.join(os.path.dirname(here), "reports")

        @app.post("/avatars/<name>")
        def draw(name):
            request.files["file"].save(current_app.config["AVATARS"] / name)
            return ""

        @app.post("/photos/<name>")
        def upload(name):
            request.files["file"].save(os.path.join(current_app.config["UPLOADS"], name))
            return ""

        @app.get("/photos/<name>")
        def photo(name):
            return send_from_directory(current_app.config["UPLOADS"], name)

        @app.post("/reports/<name>")
        def report(name):
            path = os.path.join(REPORTS, "daily", f"{name}.csv")
            with open(path, "w") as file:
                file.write("a")
            return ""

        def is_stored_elsewhere():
            return current_app.config.get("USE_CLOUD_STORAGE", "")

        @app.post("/badges/<name>")
        def badge(name):
            if is_stored_elsewhere():
                return ""
            request.files["file"].save(os.path.join(current_app.static_folder, "badges", name))
            return ""

        @app.post("/log")
        def log():
            with open("journal/audit.log", "a") as file:
                file.write("/no/path/at all")
            return ""

        @app.post("/key")
        def key():
            with open(".key", "w") as file:
                file.write("k")
            return ""

        @app.post("/beside")
        def beside():
            with open(os.path.join(here, "counter.txt"), "w") as file:
                file.write("1")
            return ""
        """,
    )
    paths = {finding.name: finding.path for finding in program.state}
    assert paths == {
        "uploads/avatars": "uploads/avatars",
        "UPLOADS": "uploads",
        "reports/daily": "reports/daily",
        "journal": "journal",
        "shop/static/badges": "shop/static/badges",
        "shop.web.beside": "",  # among the code: no folder of its own
        "shop.web.key": "",  # in the root itself
    }
    uploads = next(each for each in program.state if each.name == "UPLOADS")
    assert (uploads.writers, uploads.readers) == (("shop.web.upload",), ("shop.web.photo",))


def test_a_path_by_a_name_that_is_imported_in_a_circle_is_unknown(tmp_path: Path) -> None:
    assert program_of(
        tmp_path,
        left="from right import PATH",
        right="from left import PATH",
        app="""
        import left
        def keep():
            with open(left.PATH, "w") as file:
                file.write("")
        """,
    ).state


def test_an_index_whose_class_is_registered_by_a_call(tmp_path: Path) -> None:
    program = program_of(
        tmp_path,
        app="""
            from flask_sqlalchemy import SQLAlchemy
            from flask_whooshee import AbstractWhoosheer, Whooshee
            db, whooshee = SQLAlchemy(), Whooshee()

            class Post(db.Model):
                id = db.Column(db.Integer, primary_key=True)

            class PostWhoosheer(AbstractWhoosheer):
                models = [Post]

            def configure():
                whooshee.register_whoosheer(PostWhoosheer)

            def save():
                db.session.add(Post())
                db.session.commit()
        """,
    )
    (index,) = (each for each in program.state if each.kind == "index")
    assert (index.tables, index.writers) == (("post",), ("app.save",))
    assert index.path == "whooshee/post_whoosheer"

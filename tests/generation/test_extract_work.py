"""Work beside requests: it runs in the service that has it, and in no other."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from small_cut import app_text, cut

SWEEPER = """
    import threading

    from flask import Flask

    app = Flask(__name__)


    def sweep(interval):
        \"""Sweep for ever.\"""
        while True:
            broom()


    def broom():
        return 1


    worker = threading.Thread(target=sweep, args=(60,))
    worker.start()
    """


def test_a_thread_at_module_level_runs_in_the_service_that_has_it(tmp_path: Path) -> None:
    text = app_text(tmp_path, SWEEPER, own=("schedule:app.sweep",))
    assert text == dedent(SWEEPER).lstrip("\n")
    text = app_text(tmp_path, SWEEPER, foreign=("schedule:app.sweep",))
    assert text == "from flask import Flask\n\napp = Flask(__name__)\n"


def test_a_schedule_of_another_service_does_not_run_here(tmp_path: Path) -> None:
    source = (
        SWEEPER
        + """

    @app.route("/")
    def index():
        return str(worker.is_alive())
    """
    )
    own, foreign = ("route:app.index",), ("schedule:app.sweep",)
    text = app_text(tmp_path, source, own=own, foreign=foreign)
    assert (
        "def sweep(interval):\n"
        '    """Sweep for ever."""\n\n'
        "    # schedule:app.sweep runs in the service other.\n"
        "    return\n\n\n"
        "worker = threading.Thread(target=sweep, args=(60,))\n"
        "worker.start()\n"
    ) in text
    assert "broom" not in text


def test_what_is_given_the_application_stays_though_nothing_names_it(tmp_path: Path) -> None:
    source = """
        from flask import Flask
        from flask_wtf import CSRFProtect
        from marshmallow import Schema

        app = Flask(__name__)
        csrf = CSRFProtect(app)
        schema = Schema(only="id")
        """
    text = app_text(tmp_path, source, foreign=("route:app.nothing",))
    assert "csrf = CSRFProtect(app)\n" in text
    assert "schema" not in text.lower()


def test_commands_of_another_service_are_not_registered(tmp_path: Path) -> None:
    source = """
        import click
        from flask import Flask


        @click.command()
        def fill():
            click.echo("full")


        @click.command()
        def drain():
            click.echo("empty")


        def commands(app):
            # Both of them.
            app.cli.add_command(fill)

            app.cli.add_command(drain)


        app = Flask(__name__)
        commands(app)
        """
    text = app_text(tmp_path, source, own=("command:app.drain",), foreign=("command:app.fill",))
    assert "fill" not in text
    assert "def commands(app):\n    app.cli.add_command(drain)\n\n\napp" in text
    text = app_text(tmp_path, source, foreign=("command:app.drain", "command:app.fill"))
    assert "click" not in text
    assert "def commands(app):\n    pass\n\n\napp" in text


def test_a_worker_is_leased_by_its_module(tmp_path: Path) -> None:
    files = {
        "app.py": "from flask import Flask\n\napp = Flask(__name__)\n",
        "worker.py": """
            from app import app


            def main():
                while True:
                    print(app)


            if __name__ == "__main__":
                main()
            """,
    }
    state = (("worker", "lease"),)
    extraction = cut(tmp_path, files, own=("process:worker",), state=state)
    assert extraction.problems == []
    assert (
        extraction.files["worker.py"]
        .decode()
        .startswith(
            "from app import app\nfrom servicekit.lease import only_one\n\n\n"
            '@only_one("worker")\ndef main():\n'
        )
    )
    elsewhere = cut(tmp_path, files, foreign=("process:worker",))
    assert "worker.py" not in elsewhere.files

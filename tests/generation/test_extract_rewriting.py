"""The exact text of rewritten functions, pruned imports and removed statements, on small files."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from small_cut import app_text, cut

START = """
from flask import Flask

app = Flask(__name__)


@app.route("/")
def index():
    return total(1) + Bill().pay(2)


"""


@pytest.mark.parametrize(
    ("definition", "call"),
    [
        (
            "def total(a, *rest, b=2, **more):\n    # adds\n    return a\n",
            "def total(a, *rest, b=2, **more):\n"
            "    from servicekit.calls import call\n\n"
            '    return call("app.total", (a, *rest), {"b": b, **more})\n',
        ),
        (
            'def total(a):\n    """Add."""\n    return a\n',
            'def total(a):\n    """Add."""\n'
            "    from servicekit.calls import call\n\n"
            '    return call("app.total", (a,), {})\n',
        ),
        (
            "def total(): return 1\n",
            "def total():\n"
            "    from servicekit.calls import call\n\n"
            '    return call("app.total", (), {})\n',
        ),
        (
            'def total(\n    a: "int",  # the first\n) -> dict[str, int]:\n\treturn {}\n',
            'def total(\n    a: "int",  # the first\n) -> dict[str, int]:\n'
            "\tfrom servicekit.calls import call\n\n"
            '\treturn call("app.total", (a,), {})\n',
        ),
        (
            "def total(a, /, b, *, c):\n    return a\n    # done\n",
            "def total(a, /, b, *, c):\n"
            "    from servicekit.calls import call\n\n"
            '    return call("app.total", (a, b), {"c": c})\n    # done\n',
        ),
    ],
    ids=["every parameter", "docstring", "one line", "tabs", "comments"],
)
def test_a_body_becomes_a_call(tmp_path: Path, definition: str, call: str) -> None:
    source = START + definition + "\n\nclass Bill:\n    pay = None\n"
    text = app_text(tmp_path, source, own=("route:app.index",), calls=("app.total",))
    assert text == (START + call + "\n\nclass Bill:\n    pay = None\n").lstrip("\n")


def test_methods_cross_with_their_descriptors_and_without_what_wraps_them(tmp_path: Path) -> None:
    source = (
        START
        + '''
def total(a):
    return a


def logged(function):
    return function


class Bill:
    """A bill."""

    @logged
    def pay(self, cents):
        return cents

    @classmethod
    @logged
    def make(cls):
        return cls()

    @property
    def due(self):
        """What is left."""
        return 1

    def keep(self):
        return 0
'''
    )
    methods = ("app.Bill.pay", "app.Bill.make", "app.Bill.due")
    text = app_text(tmp_path, source, own=("route:app.index",), mapped=("app.Bill",), calls=methods)
    expected = '''
class Bill:
    """A bill."""

    def pay(self, cents):
        from servicekit.calls import call

        return call("app.Bill.pay", (self, cents), {})

    @classmethod
    def make(cls):
        from servicekit.calls import call

        return call("app.Bill.make", (cls,), {})

    @property
    def due(self):
        """What is left."""
        from servicekit.calls import call

        return call("app.Bill.due", (self,), {})

    def keep(self):
        return 0
'''
    assert text.endswith(expected)
    assert "logged" not in text


def test_blocks_for_type_checkers_lose_single_names(tmp_path: Path) -> None:
    files = {
        "app.py": """
            from __future__ import annotations
            from typing import TYPE_CHECKING

            from flask import Flask

            if TYPE_CHECKING:
                # For annotations only.
                from kinds import Apple, \\
                    Pear
                from others import Plum

            app = Flask(__name__)


            @app.route("/")
            def index(apple: Apple | None = None):
                return ""


            @app.route("/plum")
            def plum(plum: Plum | None = None, pear: Pear | None = None):
                return ""
            """,
        "kinds.py": "class Apple:\n    pass\n\n\nclass Pear:\n    pass\n",
        "others.py": "class Plum:\n    pass\n",
    }
    extraction = cut(tmp_path, files, own=("route:app.index",), foreign=("route:app.plum",))
    assert extraction.problems == []
    assert extraction.files["app.py"].decode() == dedent(
        """
        from __future__ import annotations
        from typing import TYPE_CHECKING

        from flask import Flask

        if TYPE_CHECKING:
            # For annotations only.
            from kinds import Apple

        app = Flask(__name__)


        @app.route("/")
        def index(apple: Apple | None = None):
            return ""
        """
    ).lstrip("\n")
    assert extraction.files["kinds.py"] == b"class Apple:\n    pass\n"
    assert "others.py" not in extraction.files


def test_packages_without_a_file_and_source_roots_below_the_project(tmp_path: Path) -> None:
    files = {
        "src/shop/web/start.py": """
            import shop.core.prices
            from shop.core import taxes

            from flask import Flask

            app = Flask(__name__)
            app.config["VAT"] = shop.core.prices.vat() + taxes.rate()
            """,
        "src/shop/core/prices.py": "def vat():\n    return 1\n\n\ndef other():\n    return 2\n",
        "src/shop/core/taxes.py": "def rate():\n    return 1\n\n\nclass Unused:\n    pass\n",
        "src/shop/web/words.txt": "hello\n",
        "src/notes.txt": "nothing\n",
    }
    extraction = cut(
        tmp_path,
        files,
        foreign=("route:shop.core.prices.other",),
        source_root="src",
        application="shop.web.start:app",
    )
    assert extraction.problems == []
    assert extraction.files["shop/core/prices.py"] == b"def vat():\n    return 1\n"
    assert extraction.files["shop/core/taxes.py"] == b"def rate():\n    return 1\n"
    assert "shop/web/words.txt" in extraction.files
    assert "notes.txt" not in extraction.files


def test_state_of_a_script_that_the_service_lacks_is_nobody_s_problem(tmp_path: Path) -> None:
    files = {
        "app.py": "from flask import Flask\napp = Flask(__name__)\n"
        "@app.get('/')\ndef page():\n    return ''\n",
        "try_out.py": "for each in 'ab':\n    answer = {}\n",
    }
    state = (("try_out.answer", "shared"),)
    assert not cut(tmp_path, files, own=("route:app.page",), state=state).problems
    files["app.py"] += "import try_out\nprint(try_out.answer)\n"
    (problem,) = cut(tmp_path, files, own=("route:app.page",), state=state).problems
    assert "not defined at the top level" in problem.message


def test_the_application_may_come_from_a_factory_and_must_be_there(tmp_path: Path) -> None:
    files = {
        "app.py": """
            from flask import Flask


            def create_app():
                return Flask(__name__)


            def other():
                return None
            """
    }
    foreign = ("route:app.other",)
    made = cut(tmp_path, files, foreign=foreign, application="app:create_app()")
    assert made.problems == []
    assert made.dropped == ["app.other"]
    [problem] = cut(tmp_path, files, foreign=foreign, application="start:app").problems
    assert "start:app is not in" in problem.message


def test_a_file_that_does_not_parse_is_refused_when_it_is_needed(tmp_path: Path) -> None:
    files = {
        "app.py": "from flask import Flask\nimport broken\n\napp = Flask(__name__)\n",
        "broken.py": "def (:\n",
        "unused.py": "class :\n",
    }
    problems = cut(tmp_path, files).problems
    assert [str(each.place) for each in problems] == ["broken.py:1"]


def test_code_of_a_newer_grammar_than_ours_is_cut_like_any_other(tmp_path: Path) -> None:
    newer = (
        "type Sums = list[int]\n\n\n"
        "def first[T](found: list[T]) -> T:\n    return found[0]\n\n\n"
        'def total[T: int](a: T) -> str:\n    return f"{first([f\'{a}\'])} {"of"}"\n\n\n'
        "class Bill[T]:\n"
        "    def pay(self, a: T) -> str:\n"
        '        return f"{\', \'.join([f"{a}"])}"\n'
    )
    whole = START + newer
    kept = app_text(tmp_path / "kept", whole, own=("route:app.index",))
    assert kept == whole.lstrip("\n")
    called = app_text(tmp_path / "cut", whole, own=("route:app.index",), calls=("app.total",))
    assert "first" not in called
    assert called.endswith(
        "def total[T: int](a: T) -> str:\n"
        "    from servicekit.calls import call\n\n"
        '    return call("app.total", (a,), {})\n\n\n' + newer[newer.index("class") :]
    )

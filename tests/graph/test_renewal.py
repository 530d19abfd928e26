"""A graph whose places were renewed is byte for byte what an analysis from the start stores."""

from __future__ import annotations

import ast
import random
import shutil
from pathlib import Path
from textwrap import dedent

import pytest
from analysed import ASSETS

from migrator.facts.settings import load_settings
from migrator.graph import store
from migrator.graph.build import build_graph
from migrator.graph.current import current_graph, current_summary
from migrator.graph.renewal import renew
from migrator.model.errors import ConfigurationError
from migrator.model.progress import Silent
from migrator.model.settings import Settings


def stored(root: Path) -> bytes:
    """What an analysis from the start stores, facts apart that are known already."""
    settings = load_settings(root)
    return store.save(build_graph(root, settings, Silent()), root, settings).read_bytes()


def moved(text: str, rng: random.Random) -> str:
    """The same code with more, fewer and other comments, blank lines and docstrings."""
    lines = text.split("\n")
    starts: list[tuple[int, int]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.stmt):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *[each.lineno for each in decorators]])
            if first > 1 and not lines[first - 1][: node.col_offset].strip():
                starts.append((first, node.col_offset))
            value = getattr(node, "value", None)
            if isinstance(node, ast.Expr) and isinstance(value, ast.Constant):
                quoted = lines[node.end_lineno - 1] if node.end_lineno else ""
                if quoted.endswith('"""'):
                    starts.append((-node.lineno, 0))
    for first, column in sorted(rng.sample(starts, min(5, len(starts))), key=_from_the_end):
        if first < 0:
            lines[-first - 1] = lines[-first - 1].replace('"""', '"""Said anew:\n\n', 1)
        elif not lines[first - 2].strip() and rng.random() < 0.5:
            del lines[first - 2]
        else:
            lines[first - 1 : first - 1] = [" " * column + "# PRAGMA foreign_keys=ON", ""]
    return "\n".join(lines) + rng.choice(["", "# the end\n"])


def _from_the_end(start: tuple[int, int]) -> int:
    return -abs(start[0])


@pytest.mark.parametrize("name", ["kiosk", "gallery", "lending"])
@pytest.mark.parametrize("seed", range(3))
def test_moved_lines_give_the_graph_of_an_analysis_from_the_start(
    tmp_path: Path, name: str, seed: int
) -> None:
    root = tmp_path / name
    shutil.copytree(ASSETS / name, root)
    before = stored(root)
    rng = random.Random(seed)
    files = [each for each in sorted(root.rglob("*.py")) if each.stat().st_size > 300]
    for file in files:
        text = file.read_text()
        file.write_text(moved(text, rng))
        assert file.read_text() != text
    assert renew(root, load_settings(root))
    renewed = store.path_of(root).read_bytes()
    assert renewed != before
    assert renewed == stored(root)


SHOP = """
    import flask

    app = flask.Flask(__name__)
    kept = {}


    def keep(key, value):
        kept[key] = value


    @app.get("/pets")
    def pets():
        "All of them."
        keep("pets", 1)
        return "pets"
    """


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "tests").mkdir()
    (tmp_path / "shop.py").write_text(dedent(SHOP))
    (tmp_path / "tests" / "test_shop.py").write_text("import shop\n\ndef test(): shop.pets()\n")
    stored(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kept[key] = value", "kept[value] = key"),
        ('keep("pets", 1)', 'keep("pets", 2)'),
        ('keep("pets", 1)', 'keep("pets",  1)'),
        ('keep("pets", 1)', 'keep(\n        "pets", 1)'),
        ('    keep("pets", 1)\n', ""),
        ('    keep("pets", 1)\n    return', '    keep("pets", 1); return'),
        ('"All of them."', 'f"All of them."'),
        ("\nimport flask", "import flask"),
        ("kept = {}", "kept = {"),
        ("\n\n\ndef keep", "\n\n\ndef added(): pass\n\n\ndef keep"),
    ],
)
def test_what_is_more_than_moved_lines_is_not_renewed(shop: Path, old: str, new: str) -> None:
    text = (shop / "shop.py").read_text()
    assert text.count(old) == 1
    (shop / "shop.py").write_text(text.replace(old, new))
    before = store.path_of(shop).read_bytes()
    assert not renew(shop, Settings())
    assert store.path_of(shop).read_bytes() == before


def test_what_a_test_does_changes_no_graph_but_what_it_imports_may(shop: Path) -> None:
    test = shop / "tests" / "test_shop.py"
    test.write_text("# Of pets.\nimport shop\n\ndef test(): shop.keep(1, shop.pets())\n")
    assert renew(shop, Settings())
    assert store.path_of(shop).read_bytes() == stored(shop)
    test.write_text("import shop, tests.more\n")
    assert not renew(shop, Settings())
    test.write_text("import shop\n\ndef test(:\n")
    assert not renew(shop, Settings())


def test_files_that_came_or_went_are_not_renewed(shop: Path) -> None:
    (shop / "more.py").write_text("# nothing\n")
    assert not renew(shop, Settings())
    stored(shop)
    assert not renew(shop, Settings(exclude=["more.py"]))
    (shop / "more.py").unlink()
    assert not renew(shop, Settings())


def test_a_template_that_changed_is_not_renewed(shop: Path) -> None:
    (shop / "page.html").write_text("{{ 1 }}")
    stored(shop)
    (shop / "page.html").write_text("{{ 2 }}")
    (shop / "shop.py").write_text((shop / "shop.py").read_text() + "# more\n")
    assert not renew(shop, Settings())


def test_all_verbs_see_where_lines_are_now(shop: Path) -> None:
    file = shop / "shop.py"
    file.write_text(file.read_text().replace("\n\n@app", "\n\n# One.\n# Two.\n@app"))
    lines = len(file.read_text().splitlines())
    progress = Counted()
    assert current_summary(shop, Settings(), progress)["lines"] == lines
    entry = current_graph(shop, Settings(), progress).program.entry_points["route:pets"]
    assert file.read_text().splitlines()[entry.line - 1] == "def pets():"
    assert not progress.tasks


class Counted(Silent):
    """Notes what an analysis from the start would have to do."""

    def __init__(self) -> None:
        self.tasks: list[str] = []

    def start(self, task: str, total: int | None = None) -> None:
        self.tasks.append(task)


def test_plans_beside_the_code_make_no_graph_stale(shop: Path) -> None:
    (shop / "migrator.plan.yaml").write_text("services: {}\n")
    (shop / "other.plan.yaml").write_text("services: {}\n")
    store.load(shop, Settings())
    (shop / "openapi.yaml").write_text("paths: {}\n")
    with pytest.raises(ConfigurationError, match="changed"):
        store.load(shop, Settings())

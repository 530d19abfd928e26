"""Names, imports, frameworks and storing: what linking gives beside calls."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pytest
from analysed import ASSETS
from test_calls import graph_of

from migrator.facts.project import read_project
from migrator.graph.build import build_graph
from migrator.graph.framework import Framework
from migrator.graph.linking.linker import Linker
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine
from migrator.graph.store import load, save
from migrator.model.errors import ConfigurationError
from migrator.model.graph import EdgeKind, Graph
from migrator.model.progress import Silent
from migrator.model.settings import Settings


def imports_of(graph: Graph) -> set[tuple[str, str, int]]:
    return {
        (edge.source.name, edge.target.name, edge.line) for edge in graph.edges(EdgeKind.IMPORTS)
    }


def test_import_edges(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        {
            "shop/__init__.py": "from .orders import ship\n",
            "shop/orders.py": "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n"
            "    from shop.stock import Item\n"
            "def ship():\n"
            "    from . import stock\n",
            "shop/stock.py": "from ..nowhere import x\n"
            "from shop.orders import *\n"
            "import os, flask\n",
            "main.py": "import shop.stock as s\n"
            "try:\n    import shop.missing\nexcept ImportError:\n    pass\n",
        },
    )
    assert imports_of(graph) == {
        ("shop", "shop.orders", 1),
        ("shop.orders", "shop.stock", 3),
        ("shop.orders", "shop.stock", 5),
        ("shop.stock", "shop.orders", 2),
        ("main", "shop.stock", 1),
    }
    assert graph.program.distributions == {
        "flask": ["shop.stock"],
        "os": ["shop.stock"],
        "typing": ["shop.orders"],
    }
    unknown = {each.detail for each in graph.program.unresolved if each.reason == "unknown import"}
    assert unknown == {"shop.missing", "..nowhere.x"}


def test_namespace_packages_and_several_roots(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        {
            "one/shop/__init__.py": "",
            "one/shop/orders.py": "from parts.bolts import make\ndef run(): make()\n",
            "two/parts/bolts.py": "def make(): pass\n",
            "two/parts/__init__.py": "",
        },
    )
    assert ("shop.orders", "parts.bolts", 1) in imports_of(graph)
    assert graph.program.source_roots == ["one", "two"]


def test_the_environment_that_is_read(tmp_path: Path) -> None:
    graph = graph_of(
        tmp_path,
        {
            "app.py": "import os\n"
            "KEY = 'SHOP_' + 'KEY'\n"
            "a = os.environ[KEY]\n"
            "b = os.getenv('SHOP_URL', 'x')\n"
            "c = os.environ.get('SHOP_MODE')\n"
        },
    )
    assert graph.program.environment == {
        "SHOP_KEY": ["app.py:3"],
        "SHOP_MODE": ["app.py:5"],
        "SHOP_URL": ["app.py:4"],
    }


class Records(Framework):
    """A record mapper: classes of `records.Base` write the table of their name."""

    name = "records"
    externals = ("records",)

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        if engine.name_of(callee) == "records.write":
            for value in site.argument(0):
                view = engine.values.view(value)
                if view.kind == Kind.INSTANCE:
                    site.effect("write", view.name, via="write")
            return ()
        return None

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return True


MIXIN = {
    "shop.py": "import records\n"
    "class Saved:\n"
    "    def save(self):\n"
    "        self.store()\n"
    "    def store(self):\n"
    "        records.write(self)\n"
    "class Order(Saved, records.Base): pass\n"
    "class Item(Saved, records.Base): pass\n"
    "def keep(thing):\n"
    "    records.write(thing)\n"
    "def run(): Order().save()\n"
    "def other(): Item().save()\n"
    "def third(): keep(Item())\n"
    "def fourth(): keep(Order())\n"
}


def effects_behind(linker: Linker, name: str) -> set[str]:
    """What a function's variants write, through all that they call."""
    waiting = [each for each in linker.variants if each.function.name == name]
    seen, found = set(), set()
    while waiting:
        variant = waiting.pop()
        if variant.id in seen:
            continue
        seen.add(variant.id)
        found |= {key[1] for effects in variant.effects.values() for key in effects}
        waiting += [linker.variants[c] for called in variant.calls.values() for c in called]
    return found


def test_methods_of_mixins_know_their_receiver(tmp_path: Path) -> None:
    for path, body in MIXIN.items():
        (tmp_path / path).write_text(body)
    linker = Linker(read_project(tmp_path, Settings(), Silent()), (Records(),))
    linker.run()
    assert effects_behind(linker, "shop.run") == {"shop.Order"}
    assert effects_behind(linker, "shop.other") == {"shop.Item"}
    assert effects_behind(linker, "shop.third") == {"shop.Item"}
    assert effects_behind(linker, "shop.fourth") == {"shop.Order"}


def test_a_stored_graph_comes_back(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, {"shop.py": "def one(): two()\ndef two(): pass\n"})
    save(graph, tmp_path, Settings())
    again = load(tmp_path, Settings())
    assert list(again.edges()) == list(graph.edges())
    assert again.program == graph.program


def test_what_entry_points_reach_comes_back(tmp_path: Path) -> None:
    """It is stored once for all of them."""
    shutil.copytree(ASSETS / "kiosk", tmp_path / "kiosk")
    graph = build_graph(tmp_path, Settings(), Silent())
    before = msgspec.msgpack.encode(graph.program)
    save(graph, tmp_path, Settings())
    assert msgspec.msgpack.encode(graph.program) == before
    again = load(tmp_path, Settings()).program
    assert again.entry_points == graph.program.entry_points
    assert any(each.path for entry in again.entry_points.values() for each in entry.writes)


def test_a_stale_graph_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not been analysed"):
        load(tmp_path)
    save(graph_of(tmp_path, {"shop.py": "x = 1\n"}), tmp_path, Settings())
    with pytest.raises(ConfigurationError, match="changed"):
        load(tmp_path, Settings(exclude=["nothing"]))
    (tmp_path / "shop.py").write_text("x = 2\n")
    with pytest.raises(ConfigurationError, match="changed") as caught:
        load(tmp_path, Settings())
    assert "migrator analyze" in caught.value.hint
    for spoilt in (b"\x00", b"\xff" * 100):
        (tmp_path / ".migrator" / "graph.msgpack").write_bytes(spoilt)
        with pytest.raises(ConfigurationError, match="cannot be read"):
            load(tmp_path)


def test_the_same_project_gives_the_same_graph(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    one, two = graph_of(first, MIXIN), graph_of(second, MIXIN)
    assert list(one.edges()) == list(two.edges())
    assert one.program.variants == two.program.variants


def test_one_more_function_changes_nothing_else(tmp_path: Path) -> None:
    """What a variable with very many values holds does not depend on how values are numbered."""
    made = [f"class C{n}:\n    def run(self): pass\n" for n in range(200)]
    rows = ", ".join(f"C{n}()" for n in range(200))
    files = {
        "a.py": "",
        "many.py": "".join(made) + f"ALL = [{rows}]\ndef go():\n    for each in ALL: each.run()\n",
    }
    before = graph_of(tmp_path / "before", files)
    files["a.py"] = "".join(f"def unused{n}(): return lambda: {n}\n" for n in range(50))
    after = graph_of(tmp_path / "after", files)
    calls = list(_calls_of_many(before))
    assert 1 < len(calls) < 200
    assert calls == list(_calls_of_many(after))


def _calls_of_many(graph: Graph) -> Iterable[tuple[str, str]]:
    for edge in graph.edges(EdgeKind.CALLS):
        if edge.source.name == "many.go":
            yield edge.source.name, edge.target.name

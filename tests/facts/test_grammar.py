"""Sources of a grammar that is newer than the running interpreter's are read all the same."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

from migrator.facts.grammar import parse_newer
from migrator.facts.project import read_project
from migrator.facts.syntax import parse
from migrator.graph.build import build_graph
from migrator.model.graph import EdgeKind
from migrator.model.progress import Silent
from migrator.model.settings import Settings

SAME = [
    ("def f[T](x: T) -> T: return x", "def f(x: T) -> T: return x"),
    ("async def f[*Ts, **P](*x): pass", "async def f(*x): pass"),
    ("class C[T: (int, str) = int](Base[T]): pass", "class C(Base[T]): pass"),
    ("class C[\n    T: Base,\n](\n    Base\n):\n    pass", "class C(Base):\n    pass"),
    ("type Pair[K, V] = dict[K, V]", "Pair = dict[K, V]"),
    ("type = 1\ntype.x = type[0]", "type = 1\ntype.x = type[0]"),
    ("x = f'{a['k']}'", "x = f\"{a['k']}\""),
    ('x = f"{f"{g("q")}"}"', "x = f\"{f'''{g('q')}'''}\""),
    ("x = f'{\n  a  # why\n}'", "x = f'{a}'"),
    ("x = f'{a!r:>{w['k']}} {{b}}'", "x = f\"{a!r:>{w['k']}} {{b}}\""),
    ("x = (\n  'a'\n  f'{b['c']}'  # d\n  'e'\n)", "x = f\"a{b['c']}e\""),
    ("x = f'{a['b'] = }'", "x = f\"a['b'] = {a['b']!r}\""),
    ("x = f'{(lambda y: y['k'])(1):>3}'", "x = f\"{(lambda y: y['k'])(1):>3}\""),
    ("x = f'{a['k'] != b}'", "x = f\"{a['k'] != b}\""),
    ("x = rf'\\d{a['k']}'", "x = rf\"\\d{a['k']}\""),
    ("x = t'{a}'", "x = f'{a}'"),
    ("try: pass\nexcept A, b.C: pass", "try: pass\nexcept (A, b.C): pass"),
    ("x = t''", "x = f''"),
    ('x = Rt"{a}" t"{b}"', 'x = f"{a}{b}"'),
    ("x = t'{f\"{a['k']}\"}'", "x = f\"{f'''{a['k']}'''}\""),
    ("x = [*y for y in ys if y]", "x = [_unpacked for y in ys if y for _unpacked in y]"),
    ("f(*y for y in ys)", "f(_unpacked for y in ys for _unpacked in y)"),
    (
        "x = { # all\n  **y for y in f(*ys)}",
        "x = {_unpacked: _unpacked_value for y in f(*ys)"
        " for _unpacked, _unpacked_value in y.items()}",
    ),
    (
        "type X = int\nx = [*y, *[z for z in y]], {**y}, f(*y, key=[z for z in y])",
        "X = int\nx = [*y, *[z for z in y]], {**y}, f(*y, key=[z for z in y])",
    ),
    ("def f[\n  # why\n\n  T\n] (x): pass", "def f(x): pass"),
    ("class C[\n\n  T,\n]: pass", "class C: pass"),
    ("type \\\n  X[\n\n  T: int\n] \\\n = list[T]", "X = list[T]"),
    ("x = f'{a = !r  }'", "x = f'{a = !r}'"),
    ("lazy import json\nlazy from a import b", "import json\nfrom a import b"),
]


def plain(tree: ast.AST) -> str:
    """The tree without what an older one has no fields for, and how values are converted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            node.__dict__.pop("type_params", None)
        if isinstance(node, ast.FormattedValue):
            node.conversion = -1
    return ast.dump(tree)


@pytest.mark.parametrize(("newer", "older"), SAME)
def test_newer_grammar_means_what_the_older_spells_out(newer: str, older: str) -> None:
    tree = parse_newer(newer.encode())
    if tree is None:
        tree = ast.parse(newer)
    assert plain(tree) == plain(ast.parse(older))


@pytest.mark.parametrize("source", ["x = f'{a:{b:{c}}}'", 'x = f"{a = # why\n }"'])
def test_fields_that_an_older_grammar_cannot_spell(source: str) -> None:
    names = {node.id for node in ast.walk(parse(source.encode())) if isinstance(node, ast.Name)}
    assert names == {"x", "a"} | ({"b", "c"} if "b" in source else set())


def test_a_backslash_in_a_field_keeps_its_meaning() -> None:
    tree = parse_newer(rb"x = f'{'\n'.join(a)}'")
    assert tree is not None
    (separator,) = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    assert separator.value == "\n"


def test_strings_and_comments_are_left_alone() -> None:
    source = 'def f[T]():\n    """class C[T]: type X = f\'{a["b"]}\' """\n    # type Y = 1\n'
    tree = parse_newer(source.encode())
    assert tree is not None
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    assert ast.get_docstring(function) == "class C[T]: type X = f'{a[\"b\"]}' "


def test_places_are_those_of_the_file() -> None:
    source = (
        "def f[T: Base](x: T):\n"
        '    é = f"ü{\n'
        '        call("a")}" "b" f"{other(x["k"])}"\n'
        "    last(x)\n"
    )
    tree = parse_newer(source.encode())
    assert tree is not None
    lines = source.encode().splitlines()
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            assert node.lineno == node.end_lineno
            written = lines[node.lineno - 1][node.col_offset : node.end_col_offset]
            found[ast.unparse(node.func)] = written.decode()
    assert found == {"call": 'call("a")', "other": 'other(x["k"])', "last": "last(x)"}


def test_what_is_wrong_stays_wrong() -> None:
    for source in ("def f[T(x): pass", "x = f'{a['", "except A, B: pass", "print 'x'", "type X ="):
        with pytest.raises(SyntaxError):
            parse(source.encode())


def test_no_file_of_a_newer_grammar_is_lost(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "class Base:\n    def save(self): return stored()\n\n"
        "class Order[T](Base):\n    pass\n\n"
        "def stored(): pass\n\n"
        "def keep[T: Base](item: T) -> T:\n"
        '    item.save()\n    return f"{name(item)["a"]}"\n\n'
        "def name(item): return {}\n"
    )
    graph = build_graph(tmp_path, Settings(), Silent())
    assert graph.program.skipped == []
    calls = {(edge.source.name, edge.target.name) for edge in graph.edges(EdgeKind.CALLS)}
    assert ("shop.keep", "shop.Base.save") in calls
    assert ("shop.keep", "shop.name") in calls


def test_spoilt_newer_sources_are_read_or_named(tmp_path: Path) -> None:
    chance = random.Random(11)
    whole = "\n".join(newer for newer, _ in SAME).encode()
    for number in range(300):
        spoilt = bytearray(whole[chance.randrange(len(whole)) :])
        for _ in range(chance.randrange(6)):
            spoilt[chance.randrange(len(spoilt))] = chance.choice(b"{}[]()'\"\\\n:=,#fet \xc3\x00")
        (tmp_path / f"m{number}.py").write_bytes(bytes(spoilt))
    project = read_project(tmp_path, Settings(), Silent())
    assert len(project.modules) + len(project.skipped) == 300
    assert all(each.reason for each in project.skipped)

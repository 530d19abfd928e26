"""What is read stays in the tree; the cache survives what happens to it; odd files are named."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrator.facts.project import read_project
from migrator.graph import store
from migrator.graph.build import build_graph
from migrator.model.errors import ConfigurationError
from migrator.model.progress import Silent
from migrator.model.settings import Settings

ANALYSE = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from migrator.facts.project import read_project\n"
    "from migrator.model.progress import Silent\n"
    "from migrator.model.settings import Settings\n"
    "print('started', flush=True)\n"
    "project = read_project(Path(sys.argv[1]), Settings(), Silent())\n"
    "print(len(project.modules), project.digests.code, flush=True)\n"
)


def modules(root: Path, count: int) -> None:
    for number in range(count):
        body = "".join(f"def f{number}_{each}(a, b):\n    return a + b\n\n" for each in range(60))
        (root / f"m{number}.py").write_text(body)


def reader(root: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ANALYSE, str(root)], stdout=subprocess.PIPE, text=True
    )


def test_a_kill_at_any_moment_leaves_a_cache_that_works(tmp_path: Path) -> None:
    modules(tmp_path, 150)
    for attempt in range(4):
        process = reader(tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(0.02 + 0.09 * attempt)
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        process.stdout.close()
    after = read_project(tmp_path, Settings(), Silent())
    assert len(after.modules) == 150 and not after.skipped
    with sqlite3.connect(tmp_path / ".migrator" / "cache" / "facts.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (150,)


def test_two_processes_share_a_cache(tmp_path: Path) -> None:
    modules(tmp_path, 120)
    both = [reader(tmp_path), reader(tmp_path)]
    answers = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert answers[0] == answers[1] and answers[0].splitlines()[1].startswith("120 ")


def test_another_version_of_the_tool_reads_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    store.save(build_graph(tmp_path, Settings(), Silent()), tmp_path, Settings())
    assert store.load(tmp_path, Settings()).program.modules == {"a": "a.py"}
    monkeypatch.setattr("migrator.graph.store.version_of", lambda *_: "another")
    with pytest.raises(ConfigurationError, match="another version"):
        store.load(tmp_path, Settings())
    monkeypatch.setattr("migrator.facts.source.version_of", lambda *_: "another")
    read_project(tmp_path, Settings(), Silent())
    with sqlite3.connect(tmp_path / ".migrator" / "cache" / "facts.db") as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (2,)


@pytest.mark.parametrize("name", ["page.html", "queries.sql", "openapi.yml", "openapi.json"])
def test_what_analysis_reads_beside_code_makes_the_stored_graph_stale(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    (tmp_path / name).write_text("one")
    store.save(build_graph(tmp_path, Settings(), Silent()), tmp_path, Settings())
    store.load(tmp_path, Settings())
    (tmp_path / name).write_text("two")
    with pytest.raises(ConfigurationError, match="changed"):
        store.load(tmp_path, Settings())


def test_nothing_is_written_but_the_working_folder_and_nothing_read_outside(
    tmp_path: Path,
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("password = 1\n")
    root = tmp_path / "app"
    (root / "pkg" / "deep").mkdir(parents=True)
    (root / "a.py").write_text("import pkg.b, vendored.c, ignored\n")
    (root / "pkg" / "b.py").write_text("x = 1\n")
    (root / "pkg" / "deep" / "skip_me.py").write_text("x = 1\n")
    (root / "pkg" / ".gitignore").write_text("deep/skip_*.py\n")
    (root / "ignored.py").write_text("x = 1\n")
    (root / ".gitignore").write_text("/ignored.py\n")
    (root / "vendored").mkdir()
    (root / "vendored" / "c.py").write_text("x = 1\n")
    (root / "pkg" / "loop").symlink_to(root / "pkg")
    (root / "away").symlink_to(outside)
    (root / "leak.py").symlink_to(outside / "secret.py")
    (root / "dangling.py").symlink_to(root / "gone.py")
    os.mkfifo(root / "pipe.py")
    before = {path: path.lstat().st_mtime_ns for path in root.rglob("*")}
    graph = build_graph(root, Settings(exclude=["vendored/"]), Silent())
    assert sorted(graph.program.modules) == ["a", "pkg.b"]
    assert [each.file for each in graph.program.skipped] == ["leak.py"]
    after = {
        path: path.lstat().st_mtime_ns
        for path in root.rglob("*")
        if ".migrator" not in path.relative_to(root).parts
    }
    assert after == before


SEEDS = (
    """from flask import Flask
app = Flask(__name__)
@app.get('/x/<int:i>')
def x(i): return f(i)
""",
    """class A(B, metaclass=M):
    def m(self, *a, **k):
        yield from super().m(*a, **k)
""",
    """async def g(a, /, b, *, c=1):
    async with a as (d, *e):
        return [await f async for f in e]
""",
    """match x:
    case {'k': [A(b=1), *r], **z} | None if z: pass
    case _: x = lambda: (yield)
""",
    """try:
    db.execute('select a from b where c = ?', (1,))
except* E as e:
    raise X from e
finally:
    del a.b[c:d, ...]
""",
    """def f[T: int](a: 'T' = 1) -> T:
    global q; q = w = {**a, 'b': [*c]}
    return f'{a['b']!r:>{c}}'
""",
)
SPLICED = (b"(" * 300, b"\\\n", b"\x00", b"\t", b"'''", b"f'{", b"-" * 900)


def mutated(chance: random.Random) -> bytes:
    """Real syntax, cut, spliced and spoilt."""
    parts = [chance.choice(SEEDS).encode() for _ in range(chance.randrange(1, 4))]
    text = bytearray(b"\n".join(parts))
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(text) + 1)
        kind = chance.randrange(4)
        if kind == 0 and text:
            text[min(at, len(text) - 1)] = chance.randrange(256)
        elif kind == 1:
            del text[at : at + chance.randrange(30)]
        elif kind == 2:
            other = chance.choice(SEEDS).encode()
            start = chance.randrange(len(other))
            text[at:at] = other[start : start + chance.randrange(40)]
        else:
            text[at:at] = chance.choice(SPLICED)
    return bytes(text)


def test_mutated_sources_give_a_graph_or_a_named_skip(tmp_path: Path) -> None:
    chance = random.Random(20)
    for number in range(250):
        (tmp_path / f"m{number}.py").write_bytes(mutated(chance))
    program = build_graph(tmp_path, Settings(), Silent()).program
    assert len(program.modules) + len(program.skipped) == 250
    assert len(program.modules) > 40
    assert all(each.reason for each in program.skipped)

"""Reading a project: which files, under which module names, what is skipped, what is cached."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
from pathlib import Path

import pytest

from migrator.facts.files import of_this_machine
from migrator.facts.project import ProjectFacts, digests_of, read_project
from migrator.model.errors import ConfigurationError
from migrator.model.progress import Silent
from migrator.model.settings import Settings


def read(root: Path, settings: Settings | None = None) -> ProjectFacts:
    return read_project(root, settings or Settings(), Silent())


def make(root: Path, files: dict[str, str | bytes]) -> None:
    for name, body in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode() if isinstance(body, str) else body)


def test_a_folder_without_python_names_the_next_command(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("nothing")
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path)
    assert "migrator analyze" in caught.value.hint


@pytest.mark.parametrize(
    ("files", "roots", "modules"),
    [
        (["shop/__init__.py", "shop/orders.py"], [""], ["shop", "shop.orders"]),
        (["src/shop/__init__.py", "src/shop/a.py"], ["src"], ["shop", "shop.a"]),
        (["src/company/shop/__init__.py"], ["src"], ["company.shop"]),
        (["app.py", "models.py"], [""], ["app", "models"]),
        (
            ["shop/__init__.py", "shop/parts/user/__init__.py", "shop/pages/user/__init__.py"],
            [""],
            ["shop", "shop.pages.user", "shop.parts.user"],
        ),
        (["shop/__init__.py", "shop/a.py", "shop.py"], [""], ["shop", "shop.a", "shop.py"]),
        (
            ["backend/shop/__init__.py", "jobs/run/__init__.py"],
            ["backend", "jobs"],
            ["run", "shop"],
        ),
    ],
)
def test_source_roots(
    tmp_path: Path, files: list[str], roots: list[str], modules: list[str]
) -> None:
    make(tmp_path, dict.fromkeys(files, ""))
    project = read(tmp_path)
    assert (project.source_roots, list(project.modules)) == (roots, modules)


def test_a_bundled_library_is_called_as_it_is_imported(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "shop/__init__.py": "import pricing.rates",
            "shop/bundled/pricing/__init__.py": "",
            "shop/bundled/pricing/rates.py": "",
        },
    )
    project = read(tmp_path)
    assert list(project.modules) == ["pricing", "pricing.rates", "shop"]


def test_a_namespace_package_is_known_by_the_imports(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "company/shop/__init__.py": "",
            "company/shop/orders.py": "from company.shop import stock",
            "company/shop/stock.py": "import company.shop.orders",
        },
    )
    assert "company.shop.orders" in read(tmp_path).modules


def test_src_may_be_the_package_itself(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "src/__init__.py": "",
            "src/app.py": "import src.adapters.db\n",
            "src/adapters/db/__init__.py": "",
            "src/adapters/plain.py": "",
        },
    )
    assert read(tmp_path).source_roots == [""]


def test_scripts_that_import_each_other_by_plain_name(tmp_path: Path) -> None:
    make(tmp_path, {"tool/run.py": "import parts", "tool/parts.py": ""})
    assert list(read(tmp_path).modules) == ["parts", "run"]


def test_settings_say_where_the_sources_are(tmp_path: Path) -> None:
    make(tmp_path, {"lib/shop/__init__.py": "", "lib/x.py": ""})
    assert list(read(tmp_path, Settings(sources=["lib"])).modules) == ["shop", "x"]
    assert list(read(tmp_path, Settings(sources=["."])).modules) == ["lib.shop", "lib.x"]


def test_what_is_left_out(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "app.py": "",
            "generated/a.py": "",
            "build/b.py": "",
            "shop/.gitignore": "local_*.py\n",
            "shop/local_c.py": "",
            "shop/d.py": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/e.py": "",
            "node_modules/f.py": "",
            ".gitignore": "/build/\n",
        },
    )
    project = read(tmp_path, Settings(exclude=["generated/"]))
    assert sorted(each.file for each in project.modules.values()) == ["app.py", "shop/d.py"]


def test_what_git_keeps_is_read_though_a_pattern_names_it(tmp_path: Path) -> None:
    """`upload/` is meant for a folder of data, and names a package that was added by force."""
    package = {"shop/upload/__init__.py": "", "shop/upload/views.py": ""}
    make(tmp_path, {"app.py": "", ".gitignore": "upload/\n", **package})
    assert sorted(each.file for each in read(tmp_path).modules.values()) == ["app.py"]
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "-f", *package], check=True)
    make(tmp_path, {"shop/upload/private.py": ""})
    found = read(tmp_path)
    assert sorted(each.file for each in found.modules.values()) == ["app.py", *package]
    excluded = read(tmp_path, Settings(exclude=["upload/"]))
    assert sorted(each.file for each in excluded.modules.values()) == ["app.py"]


def test_settings_that_each_machine_has_for_itself_are_read(tmp_path: Path) -> None:
    """They are kept out of git by name, and the application imports them."""
    files = ["app.py", "config.py", "shop/local_settings.py"]
    ignored = "*.pyc\n/config.py\nshop/local_settings.py\n/scratch.py\n*_config.py\n"
    named = {"scratch.py": "", "shop/my_config.py": ""}
    make(tmp_path, {".gitignore": ignored, **dict.fromkeys(files, ""), **named})
    found = sorted(each.file for each in read(tmp_path).modules.values())
    assert found == files
    assert of_this_machine(tmp_path, found) == files[1:]


def test_links_are_followed_only_inside(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    make(outside, {"secret.py": "x = 1"})
    make(root, {"app.py": "", "shop/a.py": ""})
    (root / "leak.py").symlink_to(outside / "secret.py")
    (root / "loop").symlink_to(root)
    (root / "all").symlink_to(outside)
    project = read(root)
    assert sorted(each.file for each in project.modules.values()) == ["app.py", "shop/a.py"]
    assert [(each.file, each.reason) for each in project.skipped] == [
        ("leak.py", "a link that leads out of the root")
    ]


def test_odd_files_are_read_or_skipped_with_why(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "app.py": "x = 1",
            "bom.py": b"\xef\xbb\xbfx = 1\n",
            "latin.py": b"# -*- coding: latin-1 -*-\nx = '\xe4'\n",
            "unknown.py": b"# -*- coding: klingon -*-\nx = 1\n",
            "broken_encoding.py": b"x = '\xe4'\n",
            "null.py": b"x = 1\0\n",
            "old.py": "print 'hello'\n",
            "wrong.py": "\n\ndef (:\n",
            "deep.py": "x = " + "(" * 900 + ")" * 900,
            "long_sum.py": "x = " + " + ".join(["1"] * 20_000),
            "generated.py": "x = 1\n" * 50_000,
            "empty.py": "",
        },
    )
    project = read(tmp_path)
    reasons = {each.file: (each.reason, each.line) for each in project.skipped}
    assert {"app", "bom", "latin", "empty", "generated"} <= set(project.modules)
    assert reasons["old.py"][0] == "Python 2 syntax"
    assert reasons["null.py"][0] == "contains null bytes"
    assert reasons["unknown.py"][0].startswith("encoding:")
    assert reasons["broken_encoding.py"][0].startswith("encoding:")
    assert reasons["wrong.py"][0].startswith("does not parse") and reasons["wrong.py"][1] == 3
    assert "deep.py" in reasons


def test_tests_of_the_application_are_put_aside(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "shop/__init__.py": "from shop.test_mode import flag",
            "shop/test_mode.py": "flag = 1",
            "tests/test_shop.py": "import shop",
            "conftest.py": "",
            "shop/tests/test_orders.py": "",
        },
    )
    project = read(tmp_path)
    assert list(project.modules) == ["shop", "shop.test_mode"]
    assert project.tests == ["conftest.py", "shop/tests/test_orders.py", "tests/test_shop.py"]


def test_the_cache_serves_what_has_not_changed(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "x = 1", "b.py": "y = 2"})
    first = read(tmp_path)
    with sqlite3.connect(tmp_path / ".migrator" / "cache" / "facts.db") as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (2,)
    second = read(tmp_path)
    assert second.modules["a"].facts == first.modules["a"].facts
    assert second.digests == first.digests
    (tmp_path / "a.py").write_text("x = 2")
    assert read(tmp_path).digests != first.digests
    assert (tmp_path / ".migrator" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"x" * 4000])
def test_a_spoilt_cache_is_no_cache(tmp_path: Path, content: bytes) -> None:
    make(tmp_path, {"a.py": "x = 1"})
    read(tmp_path)
    for path in (tmp_path / ".migrator" / "cache").iterdir():
        path.unlink()
    (tmp_path / ".migrator" / "cache" / "facts.db").write_bytes(content)
    assert list(read(tmp_path).modules) == ["a"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_tree_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "x = 1"})
    tmp_path.chmod(0o500)
    try:
        assert list(read(tmp_path).modules) == ["a"]
    finally:
        tmp_path.chmod(0o700)


def test_chopped_files_never_stop_a_reading(tmp_path: Path) -> None:
    source = Path(read_project.__code__.co_filename).read_bytes()
    chance = random.Random(7)
    for number in range(120):
        start, end = sorted(chance.sample(range(len(source)), 2))
        spoilt = bytearray(source[start:end])
        for _ in range(chance.randrange(4)):
            spoilt.insert(chance.randrange(len(spoilt) + 1), chance.randrange(256))
        (tmp_path / f"m{number}.py").write_bytes(bytes(spoilt))
    project = read(tmp_path)
    assert len(project.modules) + len(project.skipped) == 120
    assert all(each.reason for each in project.skipped)


def test_the_digest_is_of_the_code_and_not_of_who_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, {"shop.py": "a = 1\n"})
    before = read(tmp_path).digests
    monkeypatch.setattr("migrator.facts.source.version_of", lambda *_: "another version")
    assert read(tmp_path).digests == before == digests_of(tmp_path, Settings())
    make(tmp_path, {"shop.py": "a = 2\n"})
    assert read(tmp_path).digests != before

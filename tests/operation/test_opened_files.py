"""Files of its sources that the running monolith reads are noted, and nothing else is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from migrator.operation.start_state import lead_to_instance, note_opened, opened_files

APPLICATION = """
import io, os, site, sys
site.addsitedir(sys.argv[1])
for name in ("words.json", "words.json", "data/rates.csv", sys.argv[2], "made.log", "missing.txt"):
    try:
        open(name, "w" if name == "made.log" else "r").close()
    except OSError:
        pass
open("cached.json", "r+").close()
open("other.txt", "a").close()
io.open_code("app.py").close()
os.chdir("data")
open("../more.txt", "rb").close()
"""


def test_what_is_read_below_the_sources_is_known_afterwards(tmp_path: Path) -> None:
    root, copied, packages = tmp_path / "root", tmp_path / "copy", "lib/python3/site-packages"
    (tmp_path / "outside.txt").write_text("")
    (tmp_path / packages).mkdir(parents=True)
    lead_to_instance(tmp_path)
    for folder in (root, copied):
        (folder / "data").mkdir(parents=True)
        for name in (
            "app.py",
            "words.json",
            "data/rates.csv",
            "more.txt",
            "other.txt",
            "cached.json",
        ):
            (folder / name).write_text("")
    (copied / "of-this-run.txt").write_text("")
    assert opened_files(root) == []
    told = [sys.executable, "-c", APPLICATION, str(tmp_path / packages), "../outside.txt"]
    variables = note_opened(root, copied)
    subprocess.run(told, check=True, cwd=copied, env=variables)
    told[-1] = "of-this-run.txt"
    subprocess.run(told, check=True, cwd=copied, env=variables)
    assert opened_files(root) == ["cached.json", "data/rates.csv", "more.txt", "words.json"]

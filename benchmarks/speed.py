"""What an analysis costs beside its peers: CPU seconds, peak memory and wall time within one run.

    python benchmarks/speed.py FOLDER [--corpora django homeassistant] [--growth homeassistant]

FOLDER keeps what is downloaded: the wheels of `corpora.py`, and a virtual environment with the
peers.

Everything runs as a process of its own; CPU seconds are those of the process and all that it
started, memory is that of its largest process. Prints Markdown; compare ratios, not machines.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from corpora import Unreachable, unpack

from migrator.model.private import PRIVATE

PEERS = ("pythograph==0.3.0", "grimp==3.19", "ruff==0.17.6")
GROWTH = (100_000, 300_000, 10_000_000)
IMPORTS = (
    "import sys; sys.path.insert(0, '.'); import grimp; "
    "print(grimp.build_graph(sys.argv[1], cache_dir=None).count_imports())"
)


class Cost(NamedTuple):
    """What one process took."""

    cpu: float
    peak: float
    """MiB."""
    wall: float
    code: int

    def row(self, *first: str) -> str:
        failed = f" (exit code {self.code})" if self.code else ""
        cells = (*first, f"{self.cpu:.1f}", f"{self.peak:.0f}", f"{self.wall:.1f}{failed}")
        return "| " + " | ".join(cells) + " |"


def cost_of(command: Sequence[str | Path], folder: Path) -> Cost:
    """Run a command in a folder to its end."""
    started = time.perf_counter()
    with open(os.devnull, "wb") as nothing:
        process = subprocess.Popen(command, cwd=folder, stdout=nothing, stderr=nothing)
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, wall, process.returncode)


def peers(folder: Path) -> Path:
    """The programs of the peers, installed at first use."""
    environment = folder / "peers"
    if not (environment / "installed").exists():
        venv.create(environment, with_pip=True)
        command = [environment / "bin" / "pip", "install", "--quiet", *PEERS]
        subprocess.run(command, check=True)
        (environment / "installed").touch()
    return environment / "bin"


def analyze(root: Path) -> Cost:
    """`migrator analyze` of this checkout."""
    return cost_of([sys.executable, "-m", "migrator", "analyze", root], root)


def lines_of(root: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in root.rglob("*.py"))


def compare(name: str, source: Path, programs: Path) -> None:
    """One corpus: migrator cold, warm and after a change, and the peers."""
    package = next(path for path in source.iterdir() if path.name in (name, name.lower()))
    rival = cost_of([programs / "pythograph", "graph", "--project", source], source)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / name
        shutil.copytree(source, root, ignore=shutil.ignore_patterns(PRIVATE))
        cold = analyze(root)
        warm = analyze(root)
        changed = next(path for path in sorted(package.rglob("*.py")) if path.stat().st_size > 5000)
        changed = root / changed.relative_to(source)
        changed.write_text(re.sub(r"(?m)^(?=class |def )", "# Added.\n", changed.read_text()))
        moved = analyze(root)
        with open(changed, "a") as file:
            file.write("\n\ndef added_by_the_benchmark():\n    return None\n")
        again = analyze(root)
    imports = cost_of([programs / "python", "-c", IMPORTS, package.name], source)
    linter = cost_of([programs / "ruff", "analyze", "graph", package], source)
    print(f"\n### {name}, {lines_of(source):,} lines\n")
    print("| what | CPU s | peak MiB | wall s |\n|---|---|---|---|")
    print(rival.row("pythograph graph"))
    print(cold.row("migrator analyze, cold"))
    print(warm.row("the same, nothing changed"))
    print(moved.row("the same, comments of one file changed"))
    print(again.row("the same, a function of one file added"))
    print(imports.row("grimp (imports only)"))
    print(linter.row("ruff analyze graph (imports only)"))
    print(
        f"\nCold / pythograph: CPU {cold.cpu / rival.cpu:.2f}, peak {cold.peak / rival.peak:.2f}."
    )


def growth(source: Path) -> None:
    """Microseconds of CPU a line, of parts of one corpus."""
    print("\n### Growth\n\n| lines | CPU s | µs a line | peak MiB |\n|---|---|---|---|")
    files = sorted(source.rglob("*.py"), key=lambda path: (str(path.parent), path.name))
    for limit in GROWTH:
        with tempfile.TemporaryDirectory() as scratch:
            root, lines = Path(scratch) / "part", 0
            for path in files:
                target = root / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                lines += path.read_bytes().count(b"\n")
                if lines >= limit:
                    break
            cost = analyze(root)
        print(f"| {lines:,} | {cost.cpu:.1f} | {cost.cpu / lines * 1e6:.1f} | {cost.peak:.0f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*", default=["django", "homeassistant"])
    parser.add_argument("--growth", default="", metavar="CORPUS")
    options = parser.parse_args()
    folder = options.folder.resolve()
    try:
        programs = peers(folder)
        for name in options.corpora:
            compare(name, unpack(name, folder), programs)
        if options.growth:
            growth(unpack(options.growth, folder))
    except (Unreachable, subprocess.CalledProcessError) as error:
        print(f"not reachable: {error}", file=sys.stderr)
        return 2
    print(f"\nPython {platform.python_version()}, {os.cpu_count()} CPUs; {', '.join(PEERS)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A service cut out of a few small files, whose entry points and crossings a test names."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from migrator.generation.extract import Extraction, extract
from migrator.model.graph import Graph
from migrator.model.plan import Crossing, Plan, Service, StateRemedy
from migrator.model.program import EntryPoint, Program, Table
from migrator.model.settings import Run


def cut(
    root: Path,
    files: dict[str, str],
    *,
    own: tuple[str, ...] = (),
    foreign: tuple[str, ...] = (),
    mapped: tuple[str, ...] = (),
    calls: tuple[str, ...] = (),
    state: tuple[tuple[str, str], ...] = (),
    source_root: str = ".",
    application: str = "app:app",
) -> Extraction:
    """Extract a service that has the `kind:handler` entry points in `own`."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(dedent(content).lstrip("\n").encode())
    modules = {}
    for path in files:
        if path.endswith(".py"):
            name = path.removesuffix(".py").removeprefix(f"{source_root}/").replace("/", ".")
            modules[name.removesuffix(".__init__")] = path
    program = Program(
        root=str(root),
        source_roots=[source_root],
        modules=modules,
        entry_points={each: entry(each) for each in (*own, *foreign)},
        tables={m: Table(name=m, file="", line=0, model=m) for m in mapped},
    )
    plan = Plan(
        services={
            "own": Service(
                entry_points=list(own),
                calls=[Crossing(function=each, owner="other") for each in calls],
                state=[
                    StateRemedy(name=name, kind="module-mutable", remedy=remedy)  # type: ignore[arg-type]
                    for name, remedy in state
                ],
            ),
            "other": Service(entry_points=list(foreign)),
        }
    )
    return extract(Graph(program), plan, "own", Run(application=application))


def entry(name: str) -> EntryPoint:
    kind, _, handler = name.partition(":")
    return EntryPoint(
        name=name,
        kind=kind,  # type: ignore[arg-type]
        handler=handler,
        file="",
        line=0,
        endpoint=handler.rpartition(".")[2],
    )


def app_text(root: Path, source: str, **more: Any) -> str:
    extraction = cut(root, {"app.py": source}, **more)
    assert extraction.problems == []
    return extraction.files["app.py"].decode()

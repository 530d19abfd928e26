"""The graph of a project, made by a visible tuple of passes."""

from __future__ import annotations

from pathlib import Path

from migrator.facts.project import read_project
from migrator.graph.analysis import Analysis, Pass
from migrator.graph.assembly import assemble
from migrator.graph.effects import entry_points as effects
from migrator.graph.frameworks.table import all_frameworks
from migrator.graph.linking.linker import Linker
from migrator.graph.observed import merge
from migrator.graph.outside import outside_calls
from migrator.model.graph import Graph
from migrator.model.memory import without_collection
from migrator.model.program import Program
from migrator.model.progress import Progress, step
from migrator.model.settings import Settings


def link(analysis: Analysis) -> None:
    """Resolve names, imports, attributes and calls; frameworks see what is outside."""
    linker = Linker(analysis.facts, analysis.frameworks)
    linker.run()
    analysis.engine = linker.foreign.engine
    analysis.linker = linker


def finish_frameworks(analysis: Analysis) -> None:
    """Let every framework put what it found into program and graph."""
    for framework in analysis.frameworks:
        framework.finish(analysis)
    analysis.program.frameworks = sorted(each.name for each in analysis.frameworks if each.seen)


def assemble_program(analysis: Analysis) -> None:
    """Put functions with all their events, classes and modules into program and graph."""
    assert analysis.linker is not None
    assemble(analysis, analysis.linker)


def merge_observations(analysis: Analysis) -> None:
    """Put what `migrator observe` recorded beside what was predicted."""
    merge(analysis.graph, analysis.root)


PASSES: tuple[Pass, ...] = (
    link,
    finish_frameworks,
    assemble_program,
    *effects.PASSES,
    merge_observations,
)
"""In this order; each reads what those before it have put into the analysis."""

CALL_PASSES: tuple[Pass, ...] = (link, assemble_program, outside_calls)
"""Calls alone, with those of what is outside, which the other passes have no need of."""


def build_graph(
    root: Path, settings: Settings, progress: Progress, passes: tuple[Pass, ...] = PASSES
) -> Graph:
    """The dependency graph of the project in `root`, with its program.

    Never runs or imports the analysed code. Raises ConfigurationError where there is no Python
    file; a file that cannot be read is in `Program.skipped`.
    """
    with without_collection():
        program = Program(
            root=str(root.resolve()),
            application=settings.run.application if settings.run is not None else "",
        )
        graph = Graph(program)
        analysis = Analysis(
            root=root,
            settings=settings,
            progress=progress,
            facts=read_project(root, settings, progress),
            graph=graph,
            program=program,
            frameworks=all_frameworks(root),
        )
        for run in passes:
            with step(progress, run.__name__.replace("_", " ").capitalize()):
                run(analysis)
        if analysis.linker is not None:
            analysis.linker.release()
    return graph

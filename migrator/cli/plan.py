"""`migrator plan`: proposals and plans beside each other, and the way from the monolith to them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from migrator.cli.completion import proposals
from migrator.cli.scores import print_beside
from migrator.cli.terminal import WIDTH, TerminalProgress, console, print_hanging, print_json
from migrator.facts.settings import load_settings
from migrator.graph.current import current_graph
from migrator.model.errors import ConfigurationError, PlanError
from migrator.model.graph import Graph
from migrator.model.plan import Plan, Step
from migrator.plan.comparison import Difference, Moved, compare
from migrator.plan.evidence.evidence import gather
from migrator.plan.findings.kinds import MATURITY
from migrator.plan.findings.maturity import Maturity, maturity_of
from migrator.plan.resolve import Resolver, resolve, resolve_with_consequences
from migrator.plan.score import Score
from migrator.plan.scorecard import changes, figures
from migrator.plan.store import FILE_NAME, find, proposal_files
from migrator.plan.strategies import STRATEGIES
from migrator.plan.wording import counted, enumerated

_SOURCE = click.option(
    "--source", type=click.Path(path_type=Path), default=Path("."), help="The monolith's root."
)
_KEPT = "\N{NO-BREAK SPACE}"
"""In place of the spaces of a command while lines are broken, so that it can be copied."""

_JSON = click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")


@click.group("plan")
def command() -> None:
    """Compare proposals and plans, and show the way to them.

    Example: migrator plan diff whole-transactions fewest
    """


@command.command("compare")
@click.argument("names", nargs=-1, shell_complete=proposals)
@_SOURCE
@_JSON
def compare_command(names: tuple[str, ...], source: Path, as_json: bool) -> None:
    """Put proposals and plan files beside each other, each with its scores.

    A name is that of a proposal or a file; without names all proposals and the plan.

    Example: migrator plan compare fewest migrator.plan.yaml
    """
    root = source.resolve()
    graph = _graph(root)
    wanted = list(names) or _all_names(root)
    resolver = Resolver(graph)
    scored = {name: _scored(resolver, find(root, name)) for name in wanted}
    if as_json:
        print_json({name: number for name, (_, number) in scored.items()})
        return
    called = {name: "plan" if name == FILE_NAME else name for name in scored}
    print_beside(
        list(called.values()),
        figures([number for _, number in scored.values()]),
        {called[name]: sorted(plan.services) for name, (plan, _) in scored.items()},
    )


@command.command("diff")
@click.argument("before", shell_complete=proposals)
@click.argument("after", default=FILE_NAME, shell_complete=proposals)
@_SOURCE
@_JSON
def diff_command(before: str, after: str, source: Path, as_json: bool) -> None:
    """Say what has to change for BEFORE to become AFTER, and what that costs or saves.

    Both are names of proposals, or files; AFTER is the plan unless it is given.

    Example: migrator plan diff whole-transactions by-team
    """
    root = source.resolve()
    graph = _graph(root)
    resolver = Resolver(graph)
    (old, old_score), (new, new_score) = (_scored(resolver, find(root, n)) for n in (before, after))
    difference = compare(old, new)
    moved = changes(old_score, new_score)
    if as_json:
        print_json({"difference": difference, "scores": [each._asdict() for each in moved]})
        return
    out = console()
    for line in _difference_lines(difference):
        print_hanging(out, Text(line))
    for change in moved:
        figures = f"{change.label}: {change.before} -> {change.after} ({change.difference})"
        print_hanging(out, Text(figures))
    if difference.none and not moved:
        out.print("no difference")


@command.command("roadmap")
@click.argument("name", default=FILE_NAME, shell_complete=proposals)
@_SOURCE
@_JSON
def roadmap_command(name: str, source: Path, as_json: bool) -> None:
    """Show the way from the monolith to a plan: steps that run, each with a way back.

    NAME is a proposal or a file; the plan unless it is given.

    Example: migrator plan roadmap fewest
    """
    root = source.resolve()
    steps = resolve(_graph(root), find(root, name)).roadmap
    if as_json:
        print_json(steps)
        return
    out = console()
    for step in steps:
        for line in _step_lines(step):
            out.print(line, markup=False, soft_wrap=True)


@command.command("maturity")
@click.argument("name", default=FILE_NAME, shell_complete=proposals)
@_SOURCE
@_JSON
def maturity_command(name: str, source: Path, as_json: bool) -> None:
    """Put the maturity of each service's code side by side: tests, types, complexity, churn, age.

    NAME is a proposal or a file; the plan unless it is given.

    Example: migrator plan maturity
    """
    root = source.resolve()
    graph = _graph(root)
    resolved, consequences = resolve_with_consequences(graph, find(root, name))
    measured = maturity_of(gather(graph.program), resolved, consequences)
    if as_json:
        print_json(measured)
        return
    out = console()
    out.print(_maturity_table(list(measured.values())))
    for finding in resolved.findings:
        if finding.kind == MATURITY:
            print_hanging(out, Text(f"{finding.subject}: {finding.message}"))
            print_hanging(out, Text(f"next: {finding.hint}"), 1)
    for service, each in measured.items():
        untested = each.untested_entry_points
        if untested:
            listed = enumerated(untested)
            print_hanging(out, Text(f"{service}: no test asks {listed}: run beside the old"))


def _maturity_table(measured: Sequence[Maturity]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("service", no_wrap=True)
    for column in ("lines", "tested", "typed", "complexity", "commits", "age", "authors"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    table.add_column("most complex", no_wrap=True)
    for each in measured:
        known = [
            (each.tested, "{:.0%}"),
            (each.typed, "{:.0%}"),
            (each.complexity, "{:.1f}"),
            (each.recent_commits, "{}"),
            (each.age_days, "{} d"),
            (each.authors, "{}"),
        ]
        shown = ["-" if value is None else form.format(value) for value, form in known]
        table.add_row(each.name, str(each.lines), *shown, _shortened(each.most_complex))
    return table


def _shortened(most_complex: str, most: int = 28) -> str:
    """`Class.method (12)` of a dotted name with its figure, which is never what is cut off."""
    name, space, figure = most_complex.rpartition(" ")
    last = ".".join(name.split(".")[-2:])
    room = most - len(space + figure)
    return (last if len(last) <= room else last[: room - 1] + "…") + space + figure


def _graph(root: Path) -> Graph:
    return current_graph(root, load_settings(root), TerminalProgress())


def _all_names(root: Path) -> list[str]:
    kept = [path.name.removesuffix(".plan.yaml") for path in proposal_files(root)]
    known = list(STRATEGIES)
    names = sorted(kept, key=lambda name: (known.index(name) if name in known else -1, name))
    if (root / FILE_NAME).exists():
        names.append(FILE_NAME)
    if not names:
        raise ConfigurationError(
            "there is no proposal and no plan yet", hint="`migrator propose` makes them"
        )
    return names


def _scored(resolver: Resolver, plan: Plan) -> tuple[Plan, Score]:
    """A plan as it follows from the code of today, and its score."""
    try:
        resolved, _, numbers = resolver.scored(plan)
    except PlanError as error:
        error.hint = error.hint or "`migrator propose --force` makes proposals of today's code"
        raise
    return resolved, numbers


def _difference_lines(difference: Difference) -> list[str]:
    lines = [f"service {old} is called {new}" for old, new in difference.renamed.items()]
    lines += [f"+ service {name}" for name in difference.added]
    lines += [f"- service {name}" for name in difference.removed]
    lines += _by_way("~", "table", _moved(difference.tables), len(difference.tables))
    lines += _by_way("~", "entry point", _moved(difference.entry_points))
    lines += _by_way("+", "crossing", _crossings(difference.crossings_added))
    lines += _by_way("-", "crossing", _crossings(difference.crossings_removed))
    lines += [f"~ crossing {each}" for each in difference.remedies]
    lines += _by_way("+", "replica", _copies(difference.replicas_added), 8)
    lines += _by_way("-", "replica", _copies(difference.replicas_removed), 8)
    return lines


def _by_way(sign: str, what: str, each: Iterable[tuple[str, str]], most: int = 4) -> list[str]:
    """Pairs of a way and a name: one line for each way, with at most so many names."""
    ways: dict[str, list[str]] = {}
    for way, name in each:
        ways.setdefault(way, []).append(name)
    return [
        f"{sign} {counted(len(names), what)} {way}: {enumerated(names, most)}"
        for way, names in sorted(ways.items())
    ]


def _moved(moved: Sequence[Moved]) -> Iterator[tuple[str, str]]:
    return ((f"{m.before or 'none'} -> {m.after or 'none'}", m.name) for m in moved)


def _crossings(crossings: Sequence[str]) -> Iterator[tuple[str, str]]:
    for each in crossings:
        way, _, function = each.partition(": ")
        yield way, function


def _copies(copies: Sequence[str]) -> Iterator[tuple[str, str]]:
    for each in copies:
        table, _, service = each.partition(" in ")
        yield f"in {service}", table


def _step_lines(step: Step) -> list[str]:
    told = [
        ("", step.because),
        ("runs: ", step.runs),
        *(("do: ", each) for each in step.commands),
        ("check: ", step.check),
        ("back: ", step.back),
    ]
    lines = [f"{step.step}. {step.title}"]
    for label, text in told:
        first = f"   {label:<7}" if label else "   "
        whole = re.sub("`[^`]*`", lambda command: command.group().replace(" ", _KEPT), text)
        wrapped = textwrap.wrap(
            whole,
            WIDTH,
            initial_indent=first,
            subsequent_indent=" " * len(first),
            break_on_hyphens=False,
            break_long_words=False,
        )
        lines += [line.replace(_KEPT, " ") for line in wrapped]
    return [*lines, ""]

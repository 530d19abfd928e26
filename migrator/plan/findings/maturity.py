"""How far the code of each service can be trusted: tests, types, complexity, churn and age.

A figure that cannot be known (no git, no file) is left out and said to be missing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from migrator.facts.history import History
from migrator.facts.inspection import FunctionText
from migrator.model.plan import Finding, Plan
from migrator.plan.consequences.outline import Consequences
from migrator.plan.evidence.evidence import Evidence
from migrator.plan.findings.kinds import MATURITY
from migrator.plan.wording import counted, enumerated

_DAY = 86_400
_RECENT_DAYS = 182
_LEAST_LINES = 40
"""Of code that a service keeps of a file, before the file says anything about its maturity."""

_UNEVEN = 0.5
_SIMPLE, _COMPLEX = 1.0, 10.0
"""Mean McCabe complexity of straight code, and the limit that McCabe recommends."""


class Maturity(msgspec.Struct, kw_only=True, frozen=True):
    """Of a service's code, or of one file of it; None: not known."""

    name: str
    lines: int
    functions: int
    typed: float | None
    """Of parameters and results, those that are annotated."""
    complexity: float | None
    """The mean cyclomatic number of its functions."""
    most_complex: str
    tested: float | None
    """Of its functions, those that tests reach, by URL or by call; None where there is no test."""
    untested_entry_points: tuple[str, ...] = ()
    """Routes first: what users meet."""
    recent_commits: int | None = None
    """In the half year before the newest commit."""
    age_days: int | None = None
    """Since the first commit of its oldest file, counted back from the newest commit."""
    authors: int | None = None

    @property
    def level(self) -> float | None:
        """From 0 to 1: the mean of what is known of tests, types and simplicity."""
        simple = None
        if self.complexity is not None:
            simple = 1 - min(1.0, (self.complexity - _SIMPLE) / (_COMPLEX - _SIMPLE))
        known = [each for each in (self.typed, self.tested, simple) if each is not None]
        return sum(known) / len(known) if known else None


def maturity_of(evidence: Evidence, plan: Plan, consequences: Consequences) -> dict[str, Maturity]:
    """The maturity of each service's code."""
    return {
        name: _measure(evidence, name, _kept(evidence, consequences, name), service.entry_points)
        for name, service in sorted(plan.services.items())
    }


def uneven(evidence: Evidence, consequences: Consequences) -> list[Finding]:
    """Services of which some files are far more trustworthy than others.

    None where there is one service: its code is released together as it is.
    """
    found: list[Finding] = []
    if len(consequences.walks) < 2:
        return found
    for name in sorted(consequences.walks):
        files: dict[str, set[str]] = {}
        for function in _kept(evidence, consequences, name):
            files.setdefault(evidence.program.functions[function].file, set()).add(function)
        measured = [_measure(evidence, file, files[file]) for file in sorted(files)]
        levels = [
            (each.level, each)
            for each in measured
            if each.level is not None and each.lines >= _LEAST_LINES
        ]
        if len(levels) < 2:
            continue
        low, least = min(levels, key=lambda pair: (pair[0], pair[1].name))
        high, best = max(levels, key=lambda pair: (pair[0], pair[1].name))
        if high - low >= _UNEVEN:
            found.append(
                Finding(
                    kind=MATURITY,
                    subject=name,
                    message=f"{least.name} ({_figures(least)}) and {best.name} ({_figures(best)})"
                    " would be released together",
                    at=f"{least.name}:1",
                    hint=f"test {least.name} over HTTP before it is taken out, or leave it in"
                    " the remainder",
                )
            )
    return found


def sentence_of(maturity: Maturity) -> str:
    """What the plan says of a service: its figures, and what to run beside the old."""
    if not maturity.lines:
        return ""
    said = _figures(maturity)
    untested = maturity.untested_entry_points
    if not untested:
        return f"{said}; tests ask every entry point: verify alone proves it"
    return (
        f"{said}; no test asks {counted(len(untested), 'entry point')}: run"
        f" {enumerated(untested)} beside the old until what users do is the same on both"
    )


def _figures(each: Maturity) -> str:
    parts = [counted(each.lines, "line")]
    if each.tested is not None:
        parts.append(f"{each.tested:.0%} tested")
    if each.typed is not None:
        parts.append(f"{each.typed:.0%} typed")
    if each.complexity is not None:
        parts.append(f"complexity {each.complexity:.1f}")
    if each.recent_commits is not None:
        parts.append(f"{counted(each.recent_commits, 'commit')} in half a year")
    if each.age_days is not None:
        parts.append(f"{counted(each.age_days, 'day')} old")
    return ", ".join(parts)


def _kept(evidence: Evidence, consequences: Consequences, service: str) -> set[str]:
    """The functions that a service keeps, bodies of modules left out."""
    functions, modules = evidence.program.functions, evidence.program.modules
    names = {evidence.reach.name(key) for key in consequences.walks[service].kept}
    return {name for name in names if name in functions and name not in modules}


def _measure(
    evidence: Evidence,
    name: str,
    functions: set[str],
    entry_points: Sequence[str] = (),
) -> Maturity:
    program, tested = evidence.program, evidence.tests
    texts = _texts(evidence, functions)
    annotatable = sum(text.annotatable for text in texts.values())
    worst = max(texts, key=lambda each: (texts[each].complexity, each), default="")
    has_tests = bool(program.tests)
    own = [e for e in entry_points if program.entry_points[e].functions]
    untested = [e for e in own if e not in tested.entry_points]
    untested.sort(key=lambda each: program.entry_points[each].kind != "route")
    files = sorted({program.functions[function].file for function in functions})
    recent, age, authors = _history(evidence.history, files)
    return Maturity(
        name=name,
        lines=sum(program.functions[f].end_line - program.functions[f].line + 1 for f in functions),
        functions=len(functions),
        typed=sum(t.annotated for t in texts.values()) / annotatable if annotatable else None,
        complexity=sum(t.complexity for t in texts.values()) / len(texts) if texts else None,
        most_complex=f"{worst} ({texts[worst].complexity})" if worst else "",
        tested=len(functions & tested.functions) / len(functions)
        if functions and has_tests
        else None,
        untested_entry_points=tuple(untested) if has_tests else (),
        recent_commits=recent,
        age_days=age,
        authors=authors,
    )


def _texts(evidence: Evidence, functions: set[str]) -> dict[str, FunctionText]:
    """What the files say of functions, by the name within their module."""
    by_file: dict[str, dict[str, FunctionText]] = {}
    found: dict[str, FunctionText] = {}
    for name in sorted(functions):
        file = evidence.program.functions[name].file
        if file not in by_file:
            by_file[file] = {text.name: text for text in evidence.texts[file].functions}
        below = name
        while below and below not in by_file[file]:
            below = below.partition(".")[2]
        if below:
            found[name] = by_file[file][below]
    return found


def _history(history: History, files: Sequence[str]) -> tuple[int | None, int | None, int | None]:
    """Recent commits, age in days, and authors of files."""
    if history.missing:
        return None, None, None
    commits = {id(commit): commit for file in files for commit in history.by_file.get(file, ())}
    since = history.newest - _RECENT_DAYS * _DAY
    first = min((commit.when for commit in commits.values()), default=history.newest)
    return (
        sum(commit.when >= since for commit in commits.values()),
        (history.newest - first) // _DAY,
        len({commit.author for commit in commits.values()}),
    )

"""Findings as marks on lines of code: what code hosts show beside a change.

One format a module, all in one table: `render(annotations) -> str`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from migrator.model.errors import MigratorError, PlanError
from migrator.model.plan import Finding
from migrator.plan.findings.kinds import KINDS
from migrator.report import github, sarif
from migrator.report.annotation import Annotation

ANNOTATION_FORMATS: dict[str, Callable[[Sequence[Annotation]], str]] = {
    "sarif": sarif.render,
    "github": github.render,
}

WRONG_PLAN = "wrong-plan"


def of_findings(findings: Iterable[Finding], below: str = "") -> list[Annotation]:
    """Findings of a plan as annotations; `below` is the path from the repository to the root."""
    return [
        _annotation(each.kind, f"{each.subject}: {each.message}", each.at, each.hint, below)
        for each in findings
    ]


def of_error(error: MigratorError, below: str = "") -> list[Annotation]:
    """An error as annotations, each of its problems as one."""
    problems = error.problems if isinstance(error, PlanError) else [error]
    return [
        _annotation(WRONG_PLAN, each.message, str(each.place or ""), each.hint or error.hint, below)
        for each in problems
    ]


def _annotation(rule: str, message: str, at: str, hint: str, below: str) -> Annotation:
    known = KINDS.get(rule, KINDS[WRONG_PLAN])
    file, _, line = at.rpartition(":")
    if not line.isdigit():
        file, line = at, "0"
    return Annotation(
        rule=rule,
        level=known.level,
        title=known.title,
        message=message,
        file=f"{below}/{file}" if below and file else file,
        line=int(line),
        hint=hint,
    )

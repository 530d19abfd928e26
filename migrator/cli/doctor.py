"""`migrator doctor`: install, start and test the monolith as [tool.migrator.run] says."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.model.errors import ConfigurationError
from migrator.operation.diagnosis import Check, diagnose

_SIGNS = {
    "ok": ("✓", "green"),
    "warning": ("!", "yellow"),
    "failed": ("✗", "bold red"),
    "skipped": ("-", "dim"),
}


@click.command(name="doctor")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--json", "as_json", is_flag=True, help="The results as JSON on stdout.")
def command(source: Path, as_json: bool) -> int:
    """Try how the monolith in SOURCE is run, and say what is wrong line by line.

    Installs it into an environment of its own below SOURCE/.migrator, makes a fresh database,
    starts it, runs its tests. Exit code 1 when a step fails, 2 when the settings cannot be read.

    Example: migrator doctor ../shop
    """
    progress = TerminalProgress()
    checks: list[Check] = []
    try:
        for check in diagnose(source, progress):
            checks.append(check)
            if not as_json:
                _show(check)
    finally:
        progress.close()
    if as_json:
        print_json({"checks": checks, "healthy": _healthy(checks)})
    elif _healthy(checks):
        console(stderr=True).print(f"next: migrator analyze {source}")
    if any(check.name == "settings" and check.outcome == "failed" for check in checks):
        return ConfigurationError.exit_code
    return 0 if _healthy(checks) else 1


def _healthy(checks: list[Check]) -> bool:
    return not any(check.outcome == "failed" for check in checks)


def _show(check: Check) -> None:
    """One line, and below it what to do about it."""
    out = console()
    sign, style = _SIGNS[check.outcome]
    place = f"{check.place}: " if check.place else ""
    took = f" {check.seconds:.1f} s" if check.seconds >= 1 else ""
    out.print(
        Text.assemble((f"{sign} ", style), f"{check.name:12}", place, check.message, (took, "dim")),
        soft_wrap=True,
    )
    if check.outcome in ("failed", "warning"):
        for line in check.log_tail.splitlines():
            out.print(Text(f"      {line}", style="dim"), soft_wrap=True)
        if check.hint:
            out.print(Text.assemble(("  next: ", "bold"), check.hint), soft_wrap=True)

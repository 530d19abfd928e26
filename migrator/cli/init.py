"""`migrator init`: write [tool.migrator.run] with a guess of how the monolith is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from migrator.cli.terminal import console, print_hanging, print_json
from migrator.operation.guess.project import Guess
from migrator.operation.guess.run import GuessedRun, guess_run, section_text, write_settings


@click.command(name="init")
@click.argument("source", type=click.Path(path_type=Path), default=Path("."))
@click.option("--force", is_flag=True, help="Replace the section that is there.")
@click.option("--print", "only_print", is_flag=True, help="Print the section, write nothing.")
@click.option("--json", "as_json", is_flag=True, help="The guesses as JSON on stdout.")
def command(source: Path, force: bool, only_print: bool, as_json: bool) -> int:
    """Guess how the monolith in SOURCE is run, and write it into its pyproject.toml.

    Its files are read; nothing of it is run. Each guess stands under a comment that says why.
    Exit code 1 when something is left for a person to fill in.

    Example: migrator init ../shop
    """
    guessed = guess_run(source)
    if only_print:
        if not as_json:
            click.echo(section_text(guessed), nl=False)
    else:
        path = write_settings(source, guessed, force=force)
        _summary(path, guessed, source)
    if as_json:
        print_json(_plain(guessed))
    return 1 if guessed.doubts else 0


def _summary(path: Path, guessed: GuessedRun, source: Path) -> None:
    out = console(stderr=True)
    out.print(f"wrote [tool.migrator.run] into {path}", soft_wrap=True, markup=False)
    for name, guess in guessed.doubts.items():
        print_hanging(out, Text(f"look at {name}: {guess.because}", style="yellow"), 1)
    out.print(f"next: migrator doctor {source}")


def _plain(guessed: GuessedRun) -> dict[str, Any]:
    def one(guess: Guess) -> dict[str, Any]:
        return {"value": guess.value, "because": guess.because, "sure": guess.sure}

    return {
        **{name: one(guess) for name, guess in guessed.keys.items()},
        **{
            table: {name: one(guess) for name, guess in entries.items()}
            for table, entries in guessed.tables.items()
        },
    }

"""docs/cli.md says what the program does."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from migrator.cli.main import VERBS, program
from migrator.cli.reference import reference

ROOT = Path(__file__).parents[2]


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == reference(), "run: python -m migrator.cli.reference > docs/cli.md"


def test_the_readme_names_every_verb() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [line.split("`")[1] for line in table.splitlines() if line.startswith("| `migrator ")]
    assert sorted(named) == sorted(f"migrator {verb}" for verb in VERBS)


def test_each_page_of_a_verb_shows_its_options() -> None:
    """The synopsis of docs/VERB.md names options that the verb has, and all of them."""
    sections: dict[str, str] = {}
    for part in reference().split("## migrator ")[1:]:
        verb = part.split("\n", 1)[0].split()[0]
        sections[verb] = sections.get(verb, "") + part
    for verb, section in sections.items():
        page = ROOT / "docs" / f"{verb}.md"
        if not page.exists():
            continue
        lines = page.read_text(encoding="utf-8").splitlines()
        first = next(n for n, line in enumerate(lines) if line.startswith("    migrator "))
        last = next(n for n in range(first + 1, len(lines)) if not lines[n].startswith("    "))
        synopsis = " ".join(lines[first:last])
        words = {word.strip("[]`|,") for word in synopsis.split()}
        has = [row.split("`")[1::2] for row in section.splitlines() if row.startswith("| `")]
        assert {w for w in words if w.startswith("-") and w != "--"} <= {n for h in has for n in h}
        missing = [names for names in has if not set(names) & words]
        assert missing == [], f"docs/{verb}.md lacks {missing}"


def typed() -> Iterator[tuple[str, click.Command]]:
    """Every command as it is typed, those below a verb too."""
    context = click.Context(program)
    for verb in VERBS:
        command = program.get_command(context, verb)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((f"{verb} {name}", each) for name, each in command.commands.items())
        else:
            yield verb, command


@pytest.mark.parametrize(("path", "command"), list(typed()), ids=str)
def test_the_help_of_each_command_has_an_example_that_can_be_typed(
    path: str, command: click.Command
) -> None:
    examples = [
        line.strip().removeprefix("Example: ")
        for line in (command.help or "").splitlines()
        if line.strip().startswith("Example: ")
    ]
    assert examples, f"migrator {path} --help shows no example"
    for example in examples:
        words = example.split()
        assert words[: len(path.split()) + 1] == ["migrator", *path.split()]
        given = words[len(path.split()) + 1 :]
        names = {name for each in command.params for name in each.opts}
        before = given[: given.index("--")] if "--" in given else given
        assert {word for word in before if word.startswith("-")} <= names


@pytest.mark.parametrize(("path", "command"), list(typed()), ids=str)
def test_each_command_speaks_json(path: str, command: click.Command) -> None:
    assert any("--json" in each.opts for each in command.params), path

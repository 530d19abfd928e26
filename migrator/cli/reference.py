"""The reference of all verbs as Markdown, made from the program.

`python -m migrator.cli.reference > docs/cli.md` writes the page that lies in the repository.
"""

from __future__ import annotations

import inspect
import textwrap

import click

from migrator.cli.main import VERBS, program

_HEAD = """# The command line

Made from the program by `python -m migrator.cli.reference`; do not edit.

    migrator [--debug] VERB [OPTIONS] [ARGUMENTS]

SOURCE is the monolith's root folder, by default the one where you are. What a verb makes goes to
stdout or where `-o` says; progress and summaries go to stderr. With `--json` there is one JSON
value on stdout and nothing else, also when the verb fails: then it is
`{"errors": [{"kind", "message", "place", "hint"}]}`, and for an application that did not start,
`log`. `--debug` shows the traceback of an error.

| exit code | |
|---|---|
| 0 | done |
| 1 | findings: something differs, is refused, does not start, or is left to decide |
| 2 | wrong use or configuration: the command line, `[tool.migrator]`, the plan |
| 3 | our fault: please report it |
| 130 | stopped by Ctrl-C (`up` then ends with 0) |

`observe` exits as the observed command does.

Tables are no wider than 100 columns. Where the output is piped it is plain text; `NO_COLOR=1` takes
the colours off a terminal too.

Completion by the Tab key (verbs, options; services, tables, entry points and proposals of the plan;
running services), to be put into the shell's start file:

    eval "$(_MIGRATOR_COMPLETE=bash_source migrator)"       # ~/.bashrc
    eval "$(_MIGRATOR_COMPLETE=zsh_source migrator)"        # ~/.zshrc
    _MIGRATOR_COMPLETE=fish_source migrator | source        # ~/.config/fish/config.fish
"""


def reference() -> str:
    """The whole page."""
    context = click.Context(program, info_name="migrator")
    parts = [_HEAD]
    for verb, line in VERBS.items():
        command = program.get_command(context, verb)
        assert command is not None
        below = click.Context(command, context, verb)
        parts.append(_section(f"## migrator {verb}", line, command, below))
        if isinstance(command, click.Group):
            for name, each in command.commands.items():
                said = each.get_short_help_str(120).rstrip(".")
                parts.append(
                    _section(
                        f"### migrator {verb} {name}", said, each, click.Context(each, below, name)
                    )
                )
    return "\n".join(parts)


def _section(title: str, line: str, command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [title, "", f"{line}.", "", f"    {usage}", ""]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        text = " ".join(paragraph.split())
        example = text.removeprefix("Example: ")
        shown = [f"    {example}"] if example != text else textwrap.wrap(text, 120)
        lines += [*shown, ""]
    options = [_row(each) for each in command.params if isinstance(each, click.Option)]
    lines += ["| option | |", "|---|---|", *options] if options else []
    return "\n".join(lines).rstrip("\n") + "\n"


def _row(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in option.opts)
    value = "" if option.is_flag else f" {_value(option)}"
    told = (option.help or "").rstrip(".")
    if option.required:
        told += " (required)"
    elif option.show_default and option.default is not None:
        default = option.default
        shown = ", ".join(map(str, default)) if isinstance(default, tuple | list) else default
        told += f" (default: {shown})"
    if option.multiple:
        told += "; may be given several times"
    return f"| {names}{value} | {told} |".replace("N|MIN-MAX", "N\\|MIN-MAX")


def _value(option: click.Option) -> str:
    if option.metavar:
        return option.metavar
    if isinstance(option.type, click.Choice):
        return " or ".join(map(str, option.type.choices))
    return option.type.name.split()[0].upper()


if __name__ == "__main__":
    print(reference(), end="")

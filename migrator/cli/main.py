"""The program: finds the verb, prints errors as people can use them, and exits with their code."""

from __future__ import annotations

import difflib
import errno
import importlib
import sys
import traceback

import click
from click.shell_completion import CompletionItem

from migrator import __version__
from migrator.cli import fish
from migrator.cli.terminal import error_as_json, print_error, print_json, wants_json
from migrator.model.errors import ConfigurationError, InternalError, MigratorError, Place
from migrator.model.memory import leave_at_exit

VERBS = {
    "init": "Write [tool.migrator] with a guess of how the monolith is run",
    "doctor": "Install, start and test the monolith as [tool.migrator] says",
    "analyze": "Read the code into a dependency graph",
    "observe": "Run a command of yours and record what the code really touches",
    "list": "Ask the graph: which routes write this table, and so on",
    "export": "Write the graph for other programs: PyCG's call graph, imports, GraphML, DOT",
    "propose": "Propose service boundaries and write the plan",
    "plan": "Compare proposals and plans, and show the way to them",
    "explain": "Say why something is where it is, with file and line",
    "check": "Check a plan that was edited, and the code against it",
    "generate": "Generate the services of the plan",
    "record": "Record what is asked of a running application, to replay it",
    "up": "Run generated services behind a gateway on this machine",
    "scale": "More or fewer web processes of a running service",
    "route": "Let the gateway send a service's reads to it or back, in percent",
    "move-data": "Move what services own to others: a step forward, or back",
    "verify": "Prove that the services answer as the monolith does",
    "report": "Write a report of analysis, plan and proof",
}
"""Verb to its line of help; the verb's file in this package has the same name."""

_OF_THE_MACHINE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EMFILE}
"""Errors of the operating system that are not our fault."""


class Verbs(click.Group):
    """Imports a verb's file only when it is asked for, so that help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"migrator.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        wrong = args and args[0] not in VERBS and not args[0].startswith("-")
        if wrong and not ctx.resilient_parsing:
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            raise ConfigurationError(
                f"there is no verb {args[0]}",
                hint=f"migrator {near[0] if near else '--help'}",
            )
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs with their line of help; no verb's file is imported."""
        found = [
            CompletionItem(v, help=told) for v, told in VERBS.items() if v.startswith(incomplete)
        ]
        return found or click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs, in the order of the road"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="migrator")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def program(debug: bool) -> None:
    """Take a monolithic Python web application apart, and prove that nothing changed.

    Exit codes: 0 done, 1 findings, 2 wrong use or configuration, 3 our fault.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the program and exit."""
    fish.register()
    leave_at_exit()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = program.main(given, prog_name="migrator", standalone_mode=False)
    except MigratorError as error:
        sys.exit(_report(error, given))
    except click.ClickException as error:
        sys.exit(_report(_wrong_use(error), given))
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        if wants_json(given):
            print_json({"errors": [{"kind": "Interrupted", "message": "stopped"}]})
        sys.exit(130)
    except Exception as error:
        fault = _of_the_machine(error) or _our_fault(error)
        fault.__cause__ = error
        sys.exit(_report(fault, given))
    sys.exit(code if isinstance(code, int) else 0)


def _wrong_use(error: click.ClickException) -> MigratorError:
    """What click found wrong with the command line, with what would be right."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = f"{context.command_path if context else 'migrator'} --help"
    message = error.format_message().rstrip(".")
    return ConfigurationError(message[:1].lower() + message[1:], hint=hint)


def _of_the_machine(error: Exception) -> MigratorError | None:
    if not isinstance(error, OSError) or error.errno not in _OF_THE_MACHINE:
        return None
    return ConfigurationError(
        (error.strerror or str(error)).lower(),
        place=Place(str(error.filename)) if error.filename else None,
        hint="see to rights, free space and limits there, and run it again",
    )


def _our_fault(error: Exception) -> MigratorError:
    return InternalError(
        f"{type(error).__name__}: {error}",
        hint="run again with `migrator --debug ...` and report what it prints",
    )


def _report(error: MigratorError, given: list[str]) -> int:
    if "--debug" in (given[: given.index("--")] if "--" in given else given):
        traceback.print_exception(error, file=sys.stderr)
    print_error(error)
    if wants_json(given):
        print_json(error_as_json(error))
    return error.exit_code

"""`migrator route SERVICE`: who answers what both sides can answer, while all goes on."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from migrator.cli.completion import running
from migrator.cli.running import services_option
from migrator.cli.terminal import print_json
from migrator.model.errors import ConfigurationError
from migrator.operation.control import Route, State, ask
from migrator.operation.routes import Side, Switch, checked, in_words
from migrator.operation.system import read_system, require_two_sides
from migrator.proof.mirror import Mirror, MirrorReport

_SHOWN = 12


@click.command("route")
@click.argument("service", shell_complete=running)
@click.option("--to", type=click.Choice(["service", "remainder"]), help="Who answers.")
@click.option(
    "--percent",
    type=click.FloatRange(0, 100),
    help="Of clients; each stays on its side. Default: all, or with --header none else.",
)
@click.option(
    "--method",
    "methods",
    multiple=True,
    metavar="METHOD",
    help="Only this one of the reads (GET, HEAD). Writes always go to the owner.",
)
@click.option(
    "--header",
    metavar="NAME=VALUE",
    default="",
    help="Testers: requests with this header go there, whatever the percentage.",
)
@click.option("--cookie", metavar="NAME", default="", help="By which clients are told apart.")
@click.option(
    "--mirror",
    is_flag=True,
    help="Ask both sides each GET that is answered meanwhile, and report what differs.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    help="How long to mirror; default: until Ctrl-C.",
)
@services_option
@click.option("--json", "as_json", is_flag=True, help="The result as JSON on stdout.")
def command(
    service: str,
    to: str | None,
    percent: float | None,
    methods: tuple[str, ...],
    header: str,
    cookie: str,
    mirror: bool,
    seconds: float | None,
    output: Path,
    as_json: bool,
) -> int:
    """Let the gateway send the reads of SERVICE to it or to the remainder, losing no request.

    Works for the service that was taken out last: what remains of the monolith can still answer
    its reads. Exit code 1 when --mirror found differences.

    Example: migrator route billing --to service --percent 10 --services ../services
    """
    if to is None and not mirror:
        raise ConfigurationError(
            "nothing is said of where to", hint=f"migrator route {service} --to service|remainder"
        )
    require_two_sides(read_system(output.resolve()), service)
    state: State | None = None
    if to is not None:
        state = ask(
            output,
            Route(service=service, switch=_switch(to, percent, methods, header, cookie)),
        )
        if not as_json:
            click.echo(in_words(service, state.switches[service], state.remainder), err=True)
    if not mirror:
        if as_json:
            print_json(state)
        return 0
    report = Mirror(output.resolve(), service).run(seconds)
    if as_json:
        print_json(report)
    else:
        _print(report)
    return 1 if report.differences else 0


def _switch(
    to: str, percent: float | None, methods: tuple[str, ...], header: str, cookie: str
) -> Switch:
    name, equals, value = header.partition("=")
    if header and not equals:
        raise ConfigurationError(
            f"--header {header} is not NAME=VALUE", hint="for example --header X-Tester=yes"
        )
    if percent is None:
        percent = 0.0 if header else 100.0
    return checked(
        Switch(
            to=cast(Side, to),
            percent=percent,
            methods=[method.upper() for method in methods],
            header=name.strip(),
            value=value.strip(),
            cookie=cookie,
        )
    )


def _print(report: MirrorReport) -> None:
    for each in report.differences[:_SHOWN]:
        click.echo(f"FAIL  {each.request} {each.field} ({each.count} times)")
        click.echo(f"      remainder {each.remainder}")
        click.echo(f"      {report.service} {each.service}")
    if len(report.differences) > _SHOWN:
        click.echo(f"      {len(report.differences) - _SHOWN} more fields: mirror.json has all")
    if not report.compared:
        click.echo("no GET that both can answer came meanwhile: nothing was compared")
        return
    left = f", {report.dropped} left out" if report.dropped else ""
    click.echo(
        f"{report.equal} of {report.compared} GETs answered equally by {report.service} and"
        f" {report.remainder}{left}"
    )

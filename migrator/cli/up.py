"""`migrator up OUTPUT`: run generated services on this machine until Ctrl-C."""

from __future__ import annotations

import time
from contextlib import nullcontext
from pathlib import Path

import click

from migrator.cli.interrupts import end_by_signals
from migrator.cli.terminal import TerminalProgress, console, print_json
from migrator.operation.control import Control
from migrator.operation.system import RunningSystem, reset_data
from migrator.proof.siblings import SiblingRecorder


@click.command(name="up")
@click.argument("output", type=click.Path(path_type=Path))
@click.option(
    "--processes",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    help="Web processes, and workers, of each service.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    help="Of the gateway, on loopback.",
)
@click.option("--fresh", is_flag=True, help="Start from the monolith's seed, not the last run.")
@click.option(
    "--record-siblings",
    "record",
    is_flag=True,
    help="Keep what services ask each other in SERVICE/recorded, to work on each alone.",
)
@click.option("--json", "as_json", is_flag=True, help="Addresses as JSON on stdout.")
def command(
    output: Path, processes: int, port: int, fresh: bool, record: bool, as_json: bool
) -> None:
    """Run the services in OUTPUT behind the gateway, until Ctrl-C.

    Their data stays in OUTPUT/.migrator/data and is used again the next time.

    Example: migrator up ../services --processes 2
    """
    end_by_signals()
    progress = TerminalProgress()
    if fresh:
        reset_data(output)
    recorder = SiblingRecorder() if record else None
    between = recorder.between if recorder else None
    system = RunningSystem(output, progress, processes=processes, port=port, between=between)
    try:
        with recorder or nullcontext(), system, Control(system):
            if recorder:
                recorder.begin(system)
            _show(system, as_json)
            while True:
                time.sleep(1)
                for name in system.revive():
                    progress.warn(f"{name} had ended and was started again; logs: {system.logs}")
    except KeyboardInterrupt:
        click.echo("stopped: nothing is left running", err=True)
    finally:
        progress.close()


def _show(system: RunningSystem, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "url": system.gateway_url,
                "logs": str(system.logs),
                "services": {
                    name: {"web": service.servers, **service.address, "logs": str(service.logs)}
                    for name, service in system.services.items()
                },
            }
        )
        return
    out = console(stderr=True)
    width = max(map(len, system.services))
    out.print()
    out.print(f"  {'gateway':{width}}  {system.gateway_url}")
    for name, service in system.services.items():
        out.print(f"  {name:{width}}  {', '.join('http://' + each for each in service.servers)}")
    out.print(f"  {'logs':{width}}  {system.logs}", soft_wrap=True)
    out.print("  Ctrl-C stops all of it.", style="dim")

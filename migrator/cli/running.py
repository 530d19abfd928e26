"""What verbs that speak to a running system share."""

from pathlib import Path

import click

services_option = click.option(
    "--services",
    "output",
    type=click.Path(path_type=Path),
    default=Path("."),
    show_default=True,
    help="The folder that `migrator up` runs.",
)

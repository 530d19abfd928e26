"""Commands: `flask --app streaming.wsgi init-db`, `flask --app streaming.wsgi seed`."""

import click
from flask import Flask

from streaming.billing.seed import seed_billing
from streaming.catalogue.seed import seed_catalogue
from streaming.database import db
from streaming.members.seed import seed_members
from streaming.notifications.seed import seed_notifications
from streaming.playback.seed import seed_playback
from streaming.support.seed import seed_support


@click.command("init-db")
def init_db() -> None:
    """Create all tables."""
    db.create_all()
    click.echo(f"{len(db.metadata.tables)} tables are there.")


@click.command("seed")
def seed() -> None:
    """Fill a fresh database with the data of the demonstration."""
    seed_members()
    seed_catalogue()
    seed_billing()
    seed_playback()
    seed_support()
    seed_notifications()
    click.echo("The demonstration data is there.")


def init_app(app: Flask) -> None:
    app.cli.add_command(init_db)
    app.cli.add_command(seed)

"""The one database of the application."""

import sqlite3
from typing import TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase

Model = TypeVar("Model", bound="SaveMixin")


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


@event.listens_for(Engine, "connect")
def prepare_sqlite(connection, _record):
    """Let the web process and the worker use one SQLite file at the same time."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


class SaveMixin:
    """Models that are saved and deleted one at a time."""

    def save(self: Model) -> Model:
        db.session.add(self)
        db.session.commit()
        return self

    def delete(self) -> None:
        db.session.delete(self)
        db.session.commit()

"""For an application whose code names its SQLite file: that file is where we say it is.

Each running instance has a database of its own, whatever path the code was written with. The
standard library's module is what SQLAlchemy and other code open files through.
"""

from __future__ import annotations

import os
import sqlite3
import sqlite3.dbapi2
from typing import Any

_URL = "sqlite:///"


def install(name: str, url: str) -> None:
    """Open the file of `url` (SQLAlchemy's) whenever a file of this name is asked for."""
    if not name or not url.startswith(_URL):
        return
    path = url[len(_URL) :]
    original = sqlite3.dbapi2.connect

    def connect(database: Any, *arguments: Any, **options: Any) -> Any:
        led = _redirected(database, name, path)
        connection = original(led, *arguments, **options)
        if led is not database and not led.startswith("file:"):
            _be_there(database)
        return connection

    for module in (sqlite3, sqlite3.dbapi2):
        module.connect = connect


def install_from_environment() -> None:
    """The same with what FIXED_DATABASE and DATABASE_URL say; nothing without them."""
    install(os.environ.get("FIXED_DATABASE", ""), os.environ.get("DATABASE_URL", ""))


def _be_there(database: Any) -> None:
    """An empty file where the code's own would be: it may ask whether there is a database yet.

    None below the working folder, which holds the code.
    """
    asked = os.path.abspath(database)
    if not asked.startswith(os.getcwd() + os.sep) and os.path.isdir(os.path.dirname(asked)):
        open(asked, "ab").close()


def _redirected(database: Any, name: str, path: str) -> Any:
    if not isinstance(database, (str, os.PathLike)):
        return database
    asked = os.fspath(database)
    if not isinstance(asked, str):
        return database
    scheme = "file:" if asked.startswith("file:") else ""
    bare, question, query = asked[len(scheme) :].partition("?")
    if os.path.basename(bare) != name:
        return database
    return scheme + path + question + query

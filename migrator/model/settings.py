"""`[tool.migrator]`: how the monolith is run, and what analysis leaves out. Values only."""

from __future__ import annotations

import msgspec


class Run(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[tool.migrator.run]`: all that is told to us about an application.

    In commands and environment values stand `{port}` and `{base_url}` (of the web process),
    `{port:NAME}` (a free loopback port per name), `{data}` (a private folder of the running
    instance). Commands run in the monolith's root with its environment's `bin` first in PATH.
    """

    application: str
    """The WSGI application: `package.module:attribute` or `package.module:factory()`."""
    python: str = "python3"
    """The interpreter of monolith and services, a name or a path."""
    install: list[str] = []
    """Arguments of `pip install`, one list item a line of arguments."""
    database: str = "DATABASE_URL"
    """The environment variable that holds the SQLAlchemy URL of the database, or the URL of a
    SQLite file that the code itself names (`sqlite:///app.db`): connections to a file of that
    name are then led to the running instance's own."""
    migrate: str = ""
    """Makes the schema in an empty database."""
    seed: str = ""
    """Fills a fresh schema with the state that the tests start from."""
    test: str = ""
    """The HTTP tests; they speak only to the base URL."""
    base_url: str = "BASE_URL"
    """The environment variable that tells the tests where the application is."""
    environment: dict[str, str] = {}
    """More variables for every process of the application, its tests and its commands."""
    processes: dict[str, str] = {}
    """Processes beside the web process that are part of the application: workers, schedulers."""
    companions: dict[str, str] = {}
    """Simulated outside systems that the tests need; never analysed and never split."""
    startup_seconds: float = 30.0

    @property
    def fixed_database(self) -> str:
        """The name of the SQLite file that the code names; empty where a variable does."""
        return self.database.rpartition("/")[2] if "://" in self.database else ""

    @property
    def database_variable(self) -> str:
        """The environment variable that holds the SQLAlchemy URL of the database."""
        return "DATABASE_URL" if self.fixed_database else self.database


class Demands(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What an architect demands of every proposal, in `[tool.migrator.propose]` or in the plan.

    Names are tables.
    """

    services: int | str = ""
    """How many: `5`, or `"4-8"`."""
    largest: int = 0
    """The most tables that one service may own; 0: any number."""
    together: list[list[str]] = []
    apart: list[list[str]] = []
    own: dict[str, list[str]] = {}
    """Service to tables that it is to own."""
    leave: list[str] = []
    """Tables that stay in the remainder."""
    first: str = ""
    """Take out only this service."""
    weights: dict[str, float] = {}
    """Signal to what it counts for; 0 switches it off."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[tool.migrator]` whole."""

    sources: list[str] = []
    """Source roots, relative to the project; empty: found by analysis."""
    exclude: list[str] = []
    """Patterns in the manner of .gitignore that analysis leaves out."""
    run: Run | None = None
    propose: Demands = Demands()

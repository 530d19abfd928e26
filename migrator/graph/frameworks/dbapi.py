"""Raw database connections (PEP 249): sqlite3, psycopg, PyMySQL and the like; pandas' SQL."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

from migrator.graph.effects.mapping import SCANNED, Mapping
from migrator.graph.effects.sql import HOLE, OF_THE_DATABASE, read_sql
from migrator.graph.framework import Framework
from migrator.graph.frameworks.project_files import project_files
from migrator.graph.linking.values import Kind
from migrator.graph.orm.facts import Facts, sql_touches
from migrator.graph.protocol import CallSite, Engine, Site
from migrator.model.program import Table

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_CONNECTION = "dbapi:connection"
_CURSOR = "dbapi:cursor"
_OF_TESTS = frozenset({"test", "tests", "testing"})
"""Folders whose schemas are those of tests."""
_RUNS = frozenset({"execute", "executemany", "executescript", "mogrify", "copy_expert", "read_sql"})


class DatabaseApi(Framework):
    """The plug-in: SQL texts that a connection or cursor executes."""

    name = "dbapi"
    externals = (
        "sqlite3", "psycopg2", "psycopg", "pymysql", "MySQLdb", "mysql.connector", "cx_Oracle",
        "oracledb", "pyodbc", "aiosqlite", "asyncpg", "pandas",
    )  # fmt: skip

    def __init__(self) -> None:
        self.facts = Facts()
        self._named_tables: dict[Hashable, tuple[Site, str]] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            last = view.name.rsplit(".", 1)[-1]
            if last in {"connect", "Connection", "ConnectionPool", "SimpleConnectionPool"}:
                self.seen = True
                return (engine.values.opaque(_CONNECTION),)
            if last in {"execute_values", "execute_batch"}:
                self._run(engine, site, 1)
                return ()
            if last in {"read_sql", "read_sql_query", "read_sql_table"}:
                self._run(engine, site)
            return None
        if view.kind != Kind.BOUND:
            return None
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        receiver = engine.values.view(view.owner)
        if method == "to_sql" and receiver.name.startswith("pandas"):
            name = site.text(0, "name")
            if name:
                self._named_tables[site.key] = (site, name)
            return None
        if receiver.name not in (_CONNECTION, _CURSOR):
            return None
        if method in _RUNS:
            self._run(engine, site)
            return (engine.values.opaque(_CURSOR),)
        if method in {"commit", "rollback"}:
            self.facts.end(site, "commit" if method == "commit" else "rollback")
            return ()
        if method in {"cursor", "getconn"}:
            return (engine.values.opaque(_CURSOR if method == "cursor" else _CONNECTION),)
        return ()

    def _run(self, engine: Engine, site: CallSite, position: int = 0) -> None:
        for value in site.argument(position, "sql"):
            text = engine.values.text(value)
            if text is not None:
                is_template = engine.values.kind(value) == Kind.TEMPLATE
                self.facts.run_sql(site, text.replace("{}", HOLE) if is_template else text)

    def enter(self, engine: Engine, site: Site, receiver: int) -> Iterable[int] | None:
        if engine.values.view(receiver).tag == _CONNECTION:
            self.facts.end(site, "begin")
        return None

    def finish(self, analysis: Analysis) -> None:
        mapping = analysis.mapping or Mapping({}, {})
        _read_schemas(analysis)
        declared = bool(analysis.program.tables)
        for site, texts in self.facts.sql.values():
            for text in texts:
                for each in sql_touches(text, mapping, "sql"):
                    if not declared and each.via != SCANNED:
                        _of_statement(analysis, each.table, site)
                    site.effect(
                        each.kind,
                        each.table,
                        columns=each.columns,
                        via=each.via,
                        operation=each.operation,
                    )
                for control in read_sql(text).control:
                    site.effect(control)
        for site, name in self._named_tables.values():
            site.effect("write", mapping.table_named(name), via="to_sql", operation="insert")
        for site, kind in self.facts.ends.values():
            site.effect(kind)  # type: ignore[arg-type]


def _of_statement(analysis: Analysis, table: str, site: Site) -> None:
    """A table that a statement names, in a project that declares none: made somewhere else."""
    if not table.lower().startswith(OF_THE_DATABASE):
        found = Table(name=table, file=site.file, line=site.line, framework="sql")
        analysis.program.tables.setdefault(table, found)


def _read_schemas(analysis: Analysis) -> None:
    """The tables that `.sql` files of the project create and no model declares."""
    known = {name.lower() for name in analysis.program.tables}
    for path in project_files(analysis.root, "*.sql"):
        relative = path.relative_to(analysis.root)
        if path.stat().st_size > 2_000_000 or _OF_TESTS.intersection(relative.parts):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for table in read_sql(text).tables:
            if table.name.lower() not in known:
                known.add(table.name.lower())
                analysis.program.tables[table.name] = Table(
                    name=table.name,
                    file=relative.as_posix(),
                    line=table.line,
                    columns=table.columns,
                    framework="sql",
                )

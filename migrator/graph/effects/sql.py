"""Which tables a SQL text reads and writes, whatever its dialect.

A text may hold several statements, parameters of any style (`?`, `:name`, `%s`, `%(name)s`, `$1`)
and holes: parts that are known only at run time, given as `HOLE`. What no dialect parses is
scanned by keyword instead, so that a write is never missed; `problem` says so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from migrator.graph.effects.sql_statements import SqlAccess, accesses_of, bare_name, table_name
from migrator.model.program import Column, Operation

OF_THE_DATABASE = ("sqlite_", "pg_", "information_schema", "alembic_version", "dual")
"""How names of tables begin that belong to no application."""
HOLE = "\x00"
"""Stands in a text for what is known only at run time."""

_HOLE_NAME = "__hole__"
_DIALECTS = ("sqlite", "postgres", "mysql", "tsql", "oracle")


class SqlForeignKey(NamedTuple):
    """A foreign key of a `CREATE TABLE`."""

    columns: tuple[str, ...]
    table: str
    referred: tuple[str, ...]
    on_delete: str


class SqlTable(NamedTuple):
    """A table that a `CREATE TABLE` makes, at a line of the text that counts from 1."""

    name: str
    columns: tuple[Column, ...]
    foreign_keys: tuple[SqlForeignKey, ...]
    line: int


class SqlTrigger(NamedTuple):
    """A trigger: after `operation` on `table`, its body's `accesses` happen too."""

    name: str
    table: str
    operation: Operation
    accesses: tuple[SqlAccess, ...]


class SqlText(NamedTuple):
    """What a SQL text does, in order of its statements."""

    accesses: tuple[SqlAccess, ...] = ()
    control: tuple[Literal["begin", "commit", "rollback"], ...] = ()
    tables: tuple[SqlTable, ...] = ()
    triggers: tuple[SqlTrigger, ...] = ()
    problem: str = ""
    """Why some is not understood: `dynamic table name`, `unparsed SQL`, `stored procedure`."""


_STATEMENT = re.compile(
    r"^\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*\(?\s*"
    r"(select|insert|update|delete|replace|with|merge|create|alter|drop|truncate|pragma|begin|"
    r"start\s+transaction|commit|rollback|savepoint|release|explain|analyze|vacuum|values|copy|"
    r"call|exec|execute|attach|grant|lock|table|upsert)\b",
    re.IGNORECASE | re.DOTALL,
)


def looks_like_sql(text: str) -> bool:
    """Whether a text starts as a SQL statement does."""
    return _STATEMENT.match(text) is not None


@lru_cache(maxsize=4096)
def read_sql(text: str) -> SqlText:
    """What `text` does. Never raises; a text that is no SQL gives nothing but a `problem`."""
    if not looks_like_sql(text):
        return SqlText(problem="" if not text.strip() else "unparsed SQL")
    triggers, rest = _cut_triggers(_placeholders(text))
    accesses: list[SqlAccess] = []
    control: list[Literal["begin", "commit", "rollback"]] = []
    tables: list[SqlTable] = []
    problem = ""
    for statement, line in _statements(rest):
        word = _control_word(statement)
        if word is not None:
            if word != "ignored":
                control.append(word)
            continue
        tree = _parse(statement)
        if tree is None and _HOLE_NAME in statement:
            tree = _parse(_CLAUSE_HOLE.sub(" ", statement))
        if tree is None:
            found = tuple(_scan(statement))
            accesses += found
            if re.match(r"\s*(call|exec|execute)\b", statement, re.IGNORECASE):
                problem = problem or "stored procedure"
            elif not _is_definition(statement):
                problem = problem or "unparsed SQL"
            continue
        made = _created_table(tree, line)
        if made is not None:
            tables.append(made)
        _follow(tree, tables)
        for access in accesses_of(tree):
            known = access.kind == "write" or _HOLE_NAME not in statement
            columns = access.columns if known and _HOLE_NAME not in access.columns else ()
            accesses.append(access._replace(columns=columns))
    if any(_HOLE_NAME in access.table for access in accesses):
        problem = problem or "dynamic table name"
        accesses = [access for access in accesses if _HOLE_NAME not in access.table]
    return SqlText(
        _without_repeats(accesses), tuple(control), tuple(tables), tuple(triggers), problem
    )


_CLAUSE_HOLE = re.compile(rf"(?<!from )(?<!join )(?<!into )(?<!update ){_HOLE_NAME}", re.IGNORECASE)
"""A hole that stands for a whole clause, or for nothing."""

_QUOTED_OR_PERCENT = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/"
    r"|(?P<parameter>(?:%\(\w+\)s|%s)(?:::\w+(?:\(\d+\))?(?:\[\])*"
    r"(?:\s+with(?:out)?\s+time\s+zone|\s+precision|\s+varying)?)*)"
    r"|(?P<doubled>%%)|(?P<hole>\x00+)",
    re.DOTALL | re.IGNORECASE,
)


def _placeholders(text: str) -> str:
    """The text with `%s` parameters as `?` without casts, holes as a name that parses anywhere."""

    def replace(match: re.Match[str]) -> str:
        if match["parameter"]:
            return "?"
        if match["doubled"]:
            return "%"
        if match["hole"]:
            return _HOLE_NAME
        return match[0].replace(HOLE, _HOLE_NAME)

    return _QUOTED_OR_PERCENT.sub(replace, text)


_TRIGGER = re.compile(
    r"\bcreate\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+)?trigger\s+(?:if\s+not\s+exists\s+)?"
    r"(?P<name>[\w.\"`\[\]]+)\s+(?:before\s+|after\s+|instead\s+of\s+)?"
    r"(?P<operation>insert|update|delete)\b(?:\s+of\s+[\w\s,\"`]+?)?\s+on\s+"
    r"(?P<table>[\w.\"`\[\]]+)(?P<head>.*?)\bbegin\b",
    re.IGNORECASE | re.DOTALL,
)
_BLOCK_WORD = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|\b(case|begin|end)\b", re.IGNORECASE)


def _cut_triggers(text: str) -> tuple[list[SqlTrigger], str]:
    """The triggers with a body of their own, and the text with them blanked out."""
    triggers: list[SqlTrigger] = []
    position = 0
    while (match := _TRIGGER.search(text, position)) is not None:
        end = _block_end(text, match.end())
        body = text[match.end() : end[0]]
        inner = read_sql(body)
        operation: Operation = match["operation"].lower()  # type: ignore[assignment]
        triggers.append(
            SqlTrigger(
                bare_name(match["name"]), bare_name(match["table"]), operation, inner.accesses
            )
        )
        blank = "\n" * text.count("\n", match.start(), end[1])
        text = text[: match.start()] + blank + text[end[1] :]
        position = match.start()
    return triggers, text


def _block_end(text: str, start: int) -> tuple[int, int]:
    """Where the block that began before `start` has its `END`: (start of it, after it)."""
    depth = 1
    for word in _BLOCK_WORD.finditer(text, start):
        if word[1] is None:
            continue
        depth += -1 if word[1].lower() == "end" else 1
        if depth == 0:
            return word.start(), word.end()
    return len(text), len(text)


_SEPARATOR = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|(?P<end>;)",
    re.DOTALL,
)


def _statements(text: str) -> Iterator[tuple[str, int]]:
    """Each statement of the text with the line that it starts on."""
    start = 0
    for match in _SEPARATOR.finditer(text + ";"):
        if match["end"]:
            statement = text[start : match.start()]
            body = statement.lstrip()
            if body:
                yield body, text.count("\n", 0, start + len(statement) - len(body)) + 1
            start = match.end()


def _control_word(
    statement: str,
) -> Literal["begin", "commit", "rollback", "ignored"] | None:
    words = re.sub(r"--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL).lower().split()[:2]
    if not words:
        return "ignored"
    first = words[0]
    if first == "begin" or words == ["start", "transaction"]:
        return "begin"
    if first in {"commit", "end"}:
        return "commit"
    if first == "rollback":
        return None if words[1:] == ["to"] else "rollback"
    if first in {"pragma", "savepoint", "release", "vacuum", "analyze", "attach", "grant", "set"}:
        return "ignored"
    return None


def _is_definition(statement: str) -> bool:
    return (
        re.match(r"\s*(create|alter|drop|comment|lock|grant|rollback)\b", statement, re.I)
        is not None
    )


def _parse(statement: str) -> exp.Expr | None:
    """The tree of the first dialect that understands all of the statement."""
    statement = re.sub(r"^replace\s+into\b", "insert or replace into", statement, flags=re.I)
    logger = logging.getLogger("sqlglot")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        for dialect in _DIALECTS:
            try:
                tree = sqlglot.parse_one(statement, dialect=dialect)
            except (SqlglotError, ValueError, RecursionError):
                continue
            if tree is not None and not isinstance(tree, exp.Command):
                return tree
        return None
    finally:
        logger.setLevel(level)


def _created_table(tree: exp.Expr, line: int) -> SqlTable | None:
    if not isinstance(tree, exp.Create) or (tree.args.get("kind") or "").upper() != "TABLE":
        return None
    schema = tree.this
    if not isinstance(schema, exp.Schema):
        return None
    keys: list[SqlForeignKey] = []
    primary: set[str] = set()
    for part in schema.expressions:
        part = part.expressions[0] if isinstance(part, exp.Constraint) else part
        if isinstance(part, exp.PrimaryKey):
            primary |= {each.name for each in part.expressions}
        elif isinstance(part, exp.ForeignKey):
            reference = part.args.get("reference")
            if reference is not None:
                keys.append(_foreign_key(tuple(each.name for each in part.expressions), reference))
    columns = []
    for part in schema.expressions:
        if isinstance(part, exp.ColumnDef):
            column, key = _column(part, primary)
            columns.append(column)
            if key is not None:
                keys.append(key)
    return SqlTable(table_name(schema.this), tuple(columns), tuple(keys), line)


def _follow(tree: exp.Expr, tables: list[SqlTable]) -> None:
    """What becomes of tables that the text has made: renamed, or dropped, as in SQLite's migrations
    that make a new table in place of the old one."""
    if isinstance(tree, exp.Drop) and (tree.args.get("kind") or "").upper() == "TABLE":
        dropped = (tree.this, *(tree.args.get("tables") or ()))  # by release of the parser
        gone = {table_name(each).lower() for each in dropped if each is not None}
        tables[:] = [each for each in tables if each.name.lower() not in gone]
    elif isinstance(tree, exp.Alter):
        for action in tree.args.get("actions") or ():
            if isinstance(action, exp.AlterRename):
                old, new = table_name(tree.this).lower(), table_name(action.this)
                tables[:] = [
                    each._replace(name=new) if each.name.lower() == old else each for each in tables
                ]


def _column(part: exp.ColumnDef, primary: set[str]) -> tuple[Column, SqlForeignKey | None]:
    kinds = {type(each.args.get("kind")): each.args.get("kind") for each in part.constraints}
    is_primary = exp.PrimaryKeyColumnConstraint in kinds or part.name in primary
    reference = kinds.get(exp.Reference)
    key = None if reference is None else _foreign_key((part.name,), reference)
    not_null = kinds.get(exp.NotNullColumnConstraint)
    return Column(
        name=part.name,
        type=part.kind.sql() if part.kind is not None else "",
        nullable=not is_primary and (not_null is None or bool(not_null.args.get("allow_null"))),
        primary_key=is_primary,
        unique=exp.UniqueColumnConstraint in kinds,
        references=f"{key.table}.{key.referred[0]}" if key and key.referred else "",
        on_delete=key.on_delete if key else "",
    ), key


def _foreign_key(columns: tuple[str, ...], reference: exp.Expr) -> SqlForeignKey:
    target = reference.this
    referred: tuple[str, ...] = ()
    if isinstance(target, exp.Schema):
        referred = tuple(each.name for each in target.expressions)
        target = target.this
    options = " ".join(str(each) for each in reference.args.get("options") or ())
    match = re.search(r"ON DELETE (CASCADE|SET NULL|SET DEFAULT|RESTRICT|NO ACTION)", options, re.I)
    return SqlForeignKey(columns, table_name(target), referred, match[1].upper() if match else "")


_NAME = r"([A-Za-z_][\w$]*(?:\.[A-Za-z_][\w$]*)*|\"[^\"]+\"|`[^`]+`|\[[^\]]+\])"
_SCANS: tuple[tuple[re.Pattern[str], Literal["read", "write"], Operation], ...] = tuple(
    (re.compile(pattern + r"\s+" + _NAME, re.IGNORECASE), kind, operation)  # type: ignore[misc]
    for pattern, kind, operation in (
        (r"\binsert\s+(?:or\s+\w+\s+|ignore\s+)?into", "write", "insert"),
        (r"\breplace\s+into", "write", "insert"),
        (r"\bmerge\s+into", "write", "update"),
        (r"(?<!for )(?<!do )(?<!key )\bupdate(?:\s+or\s+\w+)?(?:\s+only)?", "write", "update"),
        (r"\bdelete\s+from(?:\s+only)?", "write", "delete"),
        (r"\btruncate(?:\s+table)?", "write", "delete"),
        (r"(?<!delete )\bfrom", "read", ""),
        (r"\bjoin", "read", ""),
    )
)
_NO_TABLE = frozenset({"select", "set", "lateral", "unnest", "only", "on", "of", "nowait", "skip"})


def _scan(statement: str) -> Iterator[SqlAccess]:
    """The accesses that keywords alone tell, for what no dialect parses."""
    if _is_definition(statement):
        return
    text = re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", " ", statement, flags=re.DOTALL)
    for pattern, kind, operation in _SCANS:
        for match in pattern.finditer(text):
            name = bare_name(match[1])
            if name.lower() not in _NO_TABLE:
                yield SqlAccess(kind, name, operation, (), True)


def _without_repeats(accesses: list[SqlAccess]) -> tuple[SqlAccess, ...]:
    return tuple(dict.fromkeys(accesses))

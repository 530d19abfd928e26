"""What one parsed statement of SQL reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from sqlglot import exp

from migrator.model.program import Operation

_IMPLIED_SCHEMAS = frozenset({"", "main", "public", "temp", "dbo"})
"""Schemas that a name means without saying so."""


class SqlAccess(NamedTuple):
    """One table that a statement reads or writes; no `columns` means all, or not known."""

    kind: Literal["read", "write"]
    table: str
    operation: Operation = ""
    columns: tuple[str, ...] = ()
    scanned: bool = False
    """Told by keywords alone, since no dialect parses the statement."""


def accesses_of(tree: exp.Expr) -> Iterator[SqlAccess]:
    """The accesses of one parsed statement: its targets as writes, all other tables as reads."""
    if isinstance(tree, exp.Create):
        query = tree.args.get("expression")
        if (tree.args.get("kind") or "").upper() in {"TABLE", "VIEW"} and query is not None:
            yield from accesses_of(query)
        return
    if isinstance(tree, exp.Drop | exp.Alter):
        return
    targets: set[int] = set()
    for node in tree.walk():
        for target, access in _written(node):
            targets.add(id(target))
            yield access
    for table in tree.find_all(exp.Table):
        if id(table) in targets or not isinstance(table.this, exp.Identifier):
            continue
        if not _is_cte(table):
            yield SqlAccess("read", table_name(table), "", _columns_read(table))


def _written(node: exp.Expr) -> Iterator[tuple[exp.Expr, SqlAccess]]:
    """The tables that this node itself writes."""
    if isinstance(node, exp.Insert):
        target = node.this
        columns: tuple[str, ...] = ()
        if isinstance(target, exp.Schema):
            columns = tuple(each.name for each in target.expressions)
            target = target.this
        if not isinstance(target, exp.Table):
            return
        name = table_name(target)
        yield target, SqlAccess("write", name, "insert", columns)
        if (node.args.get("alternative") or "").upper() == "REPLACE" or node.args.get("overwrite"):
            yield target, SqlAccess("write", name, "delete")
        conflict = node.args.get("conflict")
        if conflict is not None and conflict.expressions:
            yield target, SqlAccess("write", name, "update", _assigned(conflict.expressions))
    elif isinstance(node, exp.Update) and node.this is not None:
        for target in _update_targets(node):
            yield (
                target,
                SqlAccess("write", table_name(target), "update", _assigned(node.expressions)),
            )
    elif isinstance(node, exp.Delete):
        for target in node.args.get("tables") or [node.this]:
            if isinstance(target, exp.Table):
                yield target, SqlAccess("write", table_name(_resolved(target, node)), "delete")
    elif isinstance(node, exp.Merge) and isinstance(node.this, exp.Table):
        for operation in ("insert", "update"):
            yield node.this, SqlAccess("write", table_name(node.this), operation)
        if any(each.find(exp.Delete) for each in node.args.get("whens") or ()):
            yield node.this, SqlAccess("write", table_name(node.this), "delete")
    elif isinstance(node, exp.TruncateTable):
        for target in node.expressions:
            yield target, SqlAccess("write", table_name(target), "delete")
    elif isinstance(node, exp.Copy) and isinstance(node.this, exp.Table | exp.Schema):
        target = node.this.this if isinstance(node.this, exp.Schema) else node.this
        if node.args.get("kind"):
            yield target, SqlAccess("write", table_name(target), "insert")
    elif isinstance(node, exp.Into) and isinstance(node.this, exp.Table):
        yield node.this, SqlAccess("write", table_name(node.this), "insert")


def _update_targets(node: exp.Update) -> list[exp.Table]:
    """The updated table; of `UPDATE a JOIN b`, those whose columns are assigned."""
    target = node.this
    if not isinstance(target, exp.Table):
        return []
    joined = [
        each.this for each in target.args.get("joins") or () if isinstance(each.this, exp.Table)
    ]
    if not joined:
        return [_resolved(target, node)]
    qualifiers = {each.this.table for each in node.expressions if isinstance(each.this, exp.Column)}
    named = [each for each in [target, *joined] if each.alias_or_name in qualifiers]
    return named or [target, *joined]


def _resolved(target: exp.Table, node: exp.Expr) -> exp.Table:
    """The table behind an alias that `UPDATE x ... FROM t AS x` or `DELETE x FROM t AS x` names."""
    for table in node.find_all(exp.Table):
        if table is not target and table.alias and table.alias == target.name:
            return table
    return target


def _assigned(expressions: list[exp.Expr]) -> tuple[str, ...]:
    return tuple(
        sorted(
            {each.this.name for each in expressions if isinstance(each, exp.EQ) and each.this.name}
        )
    )


def _is_cte(table: exp.Table) -> bool:
    if table.db:
        return False
    name = table.name.lower()
    node: exp.Expr | None = table.parent
    while node is not None:
        clause = node.args.get("with_") or node.args.get("with")
        if isinstance(clause, exp.With) and any(
            each.alias.lower() == name for each in clause.expressions
        ):
            return True
        node = node.parent
    return False


def _columns_read(table: exp.Table) -> tuple[str, ...]:
    """The columns that the table's own query names of it; empty where that is not certain."""
    select = table.find_ancestor(exp.Select)
    if select is None or list(select.find_all(exp.Star)):
        return ()
    alone = len(list(select.find_all(exp.Table))) == 1
    columns = set()
    for column in select.find_all(exp.Column):
        if column.table == table.alias_or_name or (alone and not column.table):
            columns.add(column.name)
        elif not column.table:
            return ()
    return tuple(sorted(columns))


def table_name(table: exp.Expr) -> str:
    """The name of a table, with its schema where that is not implied."""
    if isinstance(table, exp.Schema):
        table = table.this
    schema = table.args.get("db")
    schema_name = schema.name if isinstance(schema, exp.Identifier) else ""
    return in_schema(schema_name, str(table.name))


def in_schema(schema: str, name: str) -> str:
    """The name of a table of a schema, without it where it is implied."""
    return name if schema.lower() in _IMPLIED_SCHEMAS else f"{schema}.{name}"


def bare_name(name: str) -> str:
    """The same of a name as it is written."""
    parts = [part.strip('"`[]') for part in name.split(".")]
    return parts[-1] if len(parts) < 2 or parts[0].lower() in _IMPLIED_SCHEMAS else ".".join(parts)

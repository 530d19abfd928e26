"""Each service's own schema: the monolith's DDL, split by owner.

Owned tables keep their DDL to the letter less the foreign keys to tables of other owners, since no
database can check those. Replicas get the owner's columns, indexes and row order and nothing that
could refuse a row, so that queries plan and sort as they did in the monolith. Outbox, guard and
call tables are made by servicekit from these files and the manifest.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from migrator.generation import ddl
from migrator.model.errors import MigratorError, PlanError, Refused
from migrator.model.plan import Plan
from migrator.model.program import Program
from migrator.model.schema import Schema, SchemaObject

# Tables that SQLite makes by itself behind a virtual table (FTS3 to 5, R-Tree).
_SHADOW = re.compile(
    r"_(data|idx|content|docsize|config|segments|segdir|stat|node|rowid|parent|instance|row|col)$"
)


@dataclass
class ServiceData:
    """The migrations of one service and what the manifest says of its tables."""

    schema_sql: str = ""
    replicas_sql: str = ""
    tables: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Owned table to its key."""
    replica_keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dropped_keys: list[str] = field(default_factory=list)
    """Foreign keys to other services, in words."""


class SchemaIndex:
    """The objects of a schema by table, and who owns each."""

    def __init__(self, schema: Schema, plan: Plan, default: str) -> None:
        self.tables: dict[str, SchemaObject] = {}
        self.definitions: dict[str, ddl.TableDefinition] = {}
        self.dependents: dict[str, list[SchemaObject]] = {}
        self.views: list[SchemaObject] = []
        self.default = default
        self._owners = {
            table.casefold(): name for name, s in plan.services.items() for table in s.tables
        }
        virtual = [o.name for o in schema.objects if o.type == "table" and ddl.is_virtual(o.sql)]
        for item in schema.objects:
            if item.type == "table" and not self._made_by_itself(item.name, virtual):
                self.tables[item.name.casefold()] = item
                if item.name not in virtual:
                    self.definitions[item.name.casefold()] = ddl.read_table(item.sql)
            elif item.type in ("index", "trigger") and item.sql:
                self.dependents.setdefault(item.table.casefold(), []).append(item)
            elif item.type == "view":
                self.views.append(item)
        self._virtual_owners = {
            name.casefold(): self._owner_by_content(self.tables[name.casefold()])
            for name in virtual
        }

    @staticmethod
    def _made_by_itself(name: str, virtual: list[str]) -> bool:
        return name.startswith("sqlite_") or any(
            name.startswith(each) and _SHADOW.fullmatch(name[len(each) :]) for each in virtual
        )

    def _owner_by_content(self, item: SchemaObject) -> str | None:
        """A full-text index follows the table whose rows it holds (`content='...'`)."""
        content = re.search(r"content\s*=\s*['\"]?(\w+)", item.sql)
        return self._owners.get(content.group(1).casefold()) if content else None

    def owner(self, table: str) -> str:
        """The service that owns a table; tables that no plan knows go with the default service."""
        folded = table.casefold()
        return self._owners.get(folded) or self._virtual_owners.get(folded) or self.default

    def owned_by(self, service: str) -> Iterable[SchemaObject]:
        """The tables of a service, in the order in which they were made."""
        return (item for item in self.tables.values() if self.owner(item.name) == service)


def split_schema(schema: Schema, plan: Plan, default: str) -> dict[str, ServiceData]:
    """The data of every service of the plan.

    `default` is the service for tables that the plan does not know. Raises PlanError with every
    table that the schema lacks and every object that cannot be split.
    """
    index = SchemaIndex(schema, plan, default)
    problems: list[MigratorError] = _missing(index, plan)
    split = {}
    if not problems:
        for name in sorted(plan.services):
            split[name] = _of_service(index, plan, name, problems)
        _place_views(index, plan, split, problems)
    if problems:
        raise PlanError(problems)
    return split


def without_unmade(schema: Schema, plan: Plan, program: Program) -> tuple[Plan, list[str]]:
    """The plan less tables that are neither made nor used, and their names.

    A model in a module that the application never imports has no table, and nothing misses it.
    """
    made = {each.name.casefold() for each in schema.objects if each.type == "table"}
    used = {
        access.table
        for entry in program.entry_points.values()
        for access in (*entry.reads, *entry.writes)
    }
    gone = [
        table
        for service in plan.services.values()
        for table in service.tables
        if table.casefold() not in made and table not in used
    ]
    services = {
        name: msgspec.structs.replace(
            service, tables=[table for table in service.tables if table not in gone]
        )
        for name, service in plan.services.items()
    }
    return (msgspec.structs.replace(plan, services=services), gone) if gone else (plan, [])


def _missing(index: SchemaIndex, plan: Plan) -> list[MigratorError]:
    return [
        MigratorError(
            f"table {table!r} of service {name!r} is not in the schema that the monolith's "
            "migrate command makes",
            hint="correct `migrate` in [tool.migrator.run], or take the table out of the plan",
        )
        for name, service in sorted(plan.services.items())
        for table in [*service.tables, *service.replicas]
        if table.casefold() not in index.tables
    ]


def _of_service(
    index: SchemaIndex, plan: Plan, service: str, problems: list[MigratorError]
) -> ServiceData:
    data = ServiceData()
    parts = [f"-- Tables that the service {service} owns, as the monolith's migrations made them."]
    for item in index.owned_by(service):
        parts.append(_owned_table(index, item, service, data))
        for dependent in index.dependents.get(item.name.casefold(), []):
            if dependent.type == "trigger":
                problems.extend(_foreign_in_trigger(index, dependent, service))
            parts.append(dependent.sql + ";")
    data.schema_sql = "\n\n".join(parts) + "\n"
    copies = [f"-- Copies of tables that other services own; only the feed of {service} writes."]
    for table, replica in sorted(plan.services[service].replicas.items()):
        definition = index.definitions.get(table.casefold())
        if definition is None:
            problems.append(
                Refused(
                    f"{service} needs a copy of {table}, which is a virtual table of "
                    f"{replica.owner}",
                    hint=f"move {table} or what reads it, so that one service has both",
                )
            )
            continue
        data.replica_keys[definition.name] = definition.key
        copies.append(replica_ddl(definition, index.dependents.get(table.casefold(), [])))
    data.replicas_sql = "\n\n".join(copies) + "\n"
    problems.extend(_invalid(data, service))
    return data


def _owned_table(index: SchemaIndex, item: SchemaObject, service: str, data: ServiceData) -> str:
    definition = index.definitions.get(item.name.casefold())
    if definition is None:
        return item.sql + ";"
    data.tables[definition.name] = definition.key
    foreign = [k for k in definition.foreign_keys if index.owner(k.target) != service]
    notes = []
    for key in foreign:
        target = f"{key.target} ({', '.join(key.target_columns)})" if key.target_columns else ""
        words = (
            f"{definition.name} ({', '.join(key.columns)}) -> {target or key.target}"
            f" of {index.owner(key.target)}{' ' + key.actions if key.actions else ''}"
        )
        data.dropped_keys.append(words)
        notes.append(f"-- Foreign key of the monolith that no database can check any more: {words}")
    return "\n".join([*notes, definition.without(foreign) + ";"])


def _foreign_in_trigger(
    index: SchemaIndex, trigger: SchemaObject, service: str
) -> Iterable[MigratorError]:
    for table in sorted(ddl.mentioned(trigger.sql) & index.tables.keys()):
        if index.owner(table) != service and table != trigger.table.casefold():
            name = index.tables[table].name
            yield Refused(
                f"trigger {trigger.name} of {trigger.table} (service {service}) uses {name}, "
                f"which {index.owner(table)} owns",
                hint=f"put {trigger.table} and {name} into one service",
            )


def replica_ddl(table: ddl.TableDefinition, dependents: Iterable[SchemaObject]) -> str:
    """A replica's table and indexes: the columns, the row order and no constraint.

    What the owner's unique constraints index by themselves is indexed here as well, since an
    index decides the order of rows in a query without ORDER BY.
    """
    lines = []
    for column in table.columns:
        parts = [ddl.quote(column.name), column.type]
        if column.collation:
            parts.append(f"COLLATE {column.collation}")
        if column.generated:
            parts.append(column.generated)
        if table.key_is_rowid and table.key == (column.name,):
            parts.append("PRIMARY KEY")
        lines.append("  " + " ".join(part for part in parts if part))
    body = ",\n".join(lines)
    statements = [f"CREATE TABLE {ddl.quote(table.name)} (\n{body}\n);"]
    indexed = list(table.uniques)
    if table.key and not table.key_is_rowid:
        indexed.insert(0, table.key)
    for number, columns in enumerate(dict.fromkeys(indexed), start=1):
        name = ddl.quote(f"_replica_{table.name}_{number}")
        statements.append(f"CREATE INDEX {name} ON {ddl.quote(table.name)} ({_list(columns)});")
    statements.extend(
        ddl.without_unique(item.sql) + ";" for item in dependents if item.type == "index"
    )
    return "\n".join(statements)


def _list(columns: Iterable[str]) -> str:
    return ", ".join(ddl.quote(column) for column in columns)


def _place_views(
    index: SchemaIndex, plan: Plan, split: dict[str, ServiceData], problems: list[MigratorError]
) -> None:
    """A view goes wherever all its tables are; SQLite's views cannot look into another file."""
    views = {view.name.casefold() for view in index.views}
    for view in index.views:
        needed = ddl.mentioned(view.sql) & (index.tables.keys() | views - {view.name.casefold()})
        tables = {name for name in needed if name in index.tables}
        placed = False
        for data in split.values():
            owned = {name.casefold() for name in data.tables}
            copied = {name.casefold() for name in data.replica_keys}
            if tables <= owned:
                data.schema_sql += f"\n{view.sql};\n"
                placed = True
            elif tables <= copied:
                data.replicas_sql += f"\n{view.sql};\n"
                placed = True
        if not placed:
            owners = sorted({index.owner(name) for name in tables})
            problems.append(
                Refused(
                    f"view {view.name} joins tables of {', '.join(owners)}, and no service has "
                    "them all",
                    hint="put its tables into one service, or write the query where it is used",
                )
            )


def _invalid(data: ServiceData, service: str) -> Iterable[MigratorError]:
    """Whether SQLite takes what we wrote; modules and collations of the application aside."""
    for file, text in (
        ("0001_schema.sql", data.schema_sql),
        ("replicas.sql", data.replicas_sql),
    ):
        with sqlite3.connect(":memory:") as database:
            try:
                database.executescript(text)
            except sqlite3.Error as error:
                unknown = ("no such module", "no such collation", "no such function")
                if not str(error).startswith(unknown):
                    yield Refused(
                        f"{service}: SQLite refuses the DDL of migrations/{file}: {error}",
                        hint="please report the schema's CREATE statements",
                    )
        database.close()

"""Traffic made from the routes themselves: each GET route with values that its tables hold.

Where nobody has recorded a path, a route is asked with rows of the tables that it reads: a
parameter takes the values of the column that it is named after (`user_id`, `username`), and what
only says `id` the keys of those tables. One value more is made up, which no row has.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from migrator.model.program import Column, EntryPoint, Program, Table

EACH = 3
"""Rows whose values are asked for."""
PATHS = 12
"""Paths made of one rule, at most."""

_PARAMETER = re.compile(r"<(?:(?P<converter>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_UNKNOWN = {
    "int": "987654321",
    "float": "9876.5",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "path": "no/such/thing",
}


def paths_of_routes(program: Program, database: Path) -> list[str]:
    """The paths to ask, sorted; rows come from an SQLite `database` with the program's tables."""
    with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as rows:
        values = _Values(program, rows)
        return sorted(
            {
                path
                for entry in program.entry_points.values()
                for route in entry.routes
                if "GET" in route.methods
                for path in _paths(route.rule, entry, values)
            }
        )


class _Values:
    """What parameters can stand for."""

    def __init__(self, program: Program, rows: sqlite3.Connection) -> None:
        self._tables = program.tables
        self._rows = rows

    def of(self, parameter: str, converter: str, entry: EntryPoint) -> list[str]:
        """Values for a parameter of an entry point's rule, the made up one last."""
        unknown = _UNKNOWN.get(converter, "no-such-thing")
        read = [each.table for each in sorted(entry.reads, key=lambda a: (a.in_hook, len(a.path)))]
        for table, column in self._columns(parameter, list(dict.fromkeys(read))):
            found = self._some(table, column)
            if found:
                return [*found, unknown]
        return ["1", unknown] if converter == "int" else [unknown]

    def _columns(self, parameter: str, read: list[str]) -> list[tuple[str, str]]:
        """Columns that the parameter may be named after, the likeliest first."""
        candidates: list[tuple[int, int, str, str]] = []
        owner, _, rest = parameter.rpartition("_")
        for name, table in self._tables.items():
            near = read.index(name) if name in read else len(read)
            for column in table.columns:
                spoken = {column.name, column.attribute or column.name}
                if owner and _called(table, owner) and (rest in spoken or _is_key(rest, column)):
                    rank = 0
                elif parameter in spoken and name in read:
                    rank = 1
                elif _is_key(parameter, column) and name in read:
                    rank = 2
                elif parameter in spoken and not column.references:
                    rank = 3
                else:
                    continue
                candidates.append((rank, near, name, column.name))
        return [(table, column) for _, _, table, column in sorted(candidates)]

    def _some(self, table: str, column: str) -> list[str]:
        quoted = [name.replace('"', '""') for name in (column, table)]
        try:
            found = self._rows.execute(
                f'SELECT DISTINCT "{quoted[0]}" FROM "{quoted[1]}"'
                f' WHERE "{quoted[0]}" IS NOT NULL ORDER BY 1 LIMIT {EACH}'
            ).fetchall()
        except sqlite3.OperationalError:
            return []
        return [str(value) for (value,) in found if str(value)]


def _paths(rule: str, entry: EntryPoint, values: _Values) -> list[str]:
    parameters = list(_PARAMETER.finditer(rule))
    choices = [values.of(each["name"], each["converter"] or "", entry) for each in parameters]
    made = []
    for chosen in itertools.islice(_varied(choices), PATHS):
        path, end = [], 0
        for parameter, value in zip(parameters, chosen, strict=True):
            path += [rule[end : parameter.start()], quote(value, safe="/")]
            end = parameter.end()
        made.append("".join([*path, rule[end:]]))
    return made


def _varied(choices: list[list[str]]) -> list[tuple[str, ...]]:
    """The first values of all, then one parameter after the other changed."""
    first = tuple(each[0] for each in choices)
    others = [
        (*first[:place], value, *first[place + 1 :])
        for place, each in enumerate(choices)
        for value in each[1:]
    ]
    return [first, *others]


def _called(table: Table, owner: str) -> bool:
    """Whether a table is spoken of as `owner`: `user` of `users`, `UserProfile` of user_profile."""
    model = table.model.rpartition(".")[2].lower()
    plain = owner.replace("_", "").lower()
    name = table.name.replace("_", "").lower()
    return plain in (model, name, name.removesuffix("s"), name.removesuffix("es"))


def _is_key(parameter: str, column: Column) -> bool:
    return parameter in ("id", "pk", "key") and column.primary_key

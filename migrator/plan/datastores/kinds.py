"""Kinds of stores, and by what evidence data would be better kept in each: one function a kind.

Never by the name of a table or column: types, keys, and what the code does with rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from migrator.model.plan import StoreAdvice
from migrator.model.program import Column, StateFinding
from migrator.plan.evidence.table_usage import Places, TableUse
from migrator.plan.wording import counted, enumerated

_MOST_PLACES = 5

WHOLE_TABLES = ("key-value", "log")
"""Kinds of which a table would have to move as a whole, out of every transaction with others."""

_DOCUMENT = re.compile(r"json|hstore|dict|pickletype", re.IGNORECASE)
_BINARY = re.compile(r"binary|blob|bytea|\bbytes\b", re.IGNORECASE)
_TIME = re.compile(r"date|time(?!delta)", re.IGNORECASE)

Uses = Mapping[str, TableUse]
"""The use of the tables of one service."""


def documents(uses: Uses, _: Sequence[StateFinding]) -> list[StoreAdvice]:
    """Columns whose values have a structure of their own that the database does not know."""
    return _by_column_type(
        uses,
        _DOCUMENT,
        kind="document",
        engine="postgresql (jsonb)",
        said="{} of JSON: rows are documents, whose parts no key or constraint reaches",
    )


def blobs(uses: Uses, files: Sequence[StateFinding]) -> list[StoreAdvice]:
    """Bytes in rows, and files that the code writes to a disk of its own."""
    found = _by_column_type(
        uses,
        _BINARY,
        kind="object",
        engine="s3",
        said="{} of bytes: they are read and written whole, and fill caches and back-ups",
    )
    if files:
        names = enumerated(sorted({each.name.rpartition(".")[2] for each in files}))
        found.append(
            StoreAdvice(
                kind="object",
                engine="s3",
                because=f"files below {names} are written to the disk of one machine",
                at=_places({f"{each.file}:{each.line}": None for each in files}),
            )
        )
    return found


def text_search(uses: Uses, _: Sequence[StateFinding]) -> list[StoreAdvice]:
    """Columns that are searched by LIKE."""
    found = []
    for name, use in sorted(uses.items()):
        searched = use.compared_columns("text")
        if searched:
            columns = enumerated([f"{name}.{column}" for column in sorted(searched)])
            verb = "is" if len(searched) == 1 else "are"
            found.append(
                StoreAdvice(
                    kind="search",
                    engine="opensearch",
                    tables=[name],
                    because=f"{columns} {verb} searched by LIKE, which reads every row;"
                    " fed from the outbox as a replica is",
                    at=_places(*searched.values()),
                )
            )
    return found


def graphs(uses: Uses, _: Sequence[StateFinding]) -> list[StoreAdvice]:
    """Tables that refer to themselves, directly or through a table of pairs."""
    found = []
    for name, use in sorted(uses.items()):
        targets = [c.referred for c in use.table.columns if c.references]
        own = [c.name for c in use.table.columns if c.referred == name]
        paired = {t for t in targets if targets.count(t) > 1 and len(targets) == 2}
        if own or paired:
            how = (
                f"{name}.{own[0]} refers to {name} itself"
                if own
                else f"{name} pairs rows of {enumerated(sorted(paired))} with each other"
            )
            found.append(
                StoreAdvice(
                    kind="graph",
                    engine="neo4j",
                    tables=[name],
                    because=f"{how}: paths of unknown length; until they are long a recursive"
                    " query does it",
                    at=[f"{use.table.file}:{use.table.line}"],
                )
            )
    return found


def key_values(uses: Uses, _: Sequence[StateFinding]) -> list[StoreAdvice]:
    """Rows that are only looked up by key, and that a time makes invalid."""
    found = []
    for name, use in sorted(uses.items()):
        times = {column.name for column in use.table.columns if _is_time(column)}
        expiring = {c: at for c, at in use.compared_columns("range").items() if c in times}
        others = {c for c, how in use.compared if how != "range" and c not in use.keys}
        by_key = {**use.by_key, **_merged(at for c, at in use.compared_columns("equal").items())}
        if expiring and by_key and not others and not use.referred_by:
            found.append(
                StoreAdvice(
                    kind="key-value",
                    engine="redis",
                    tables=[name],
                    because=f"{name} is only looked up by key, and {enumerated(sorted(expiring))}"
                    " says until when a row counts: an expiry of the store's own",
                    at=_places(by_key, *expiring.values()),
                )
            )
    return found


def time_series(uses: Uses, _: Sequence[StateFinding]) -> list[StoreAdvice]:
    """Rows that are written once, each with its time, and that nothing refers to."""
    found = []
    for name, use in sorted(uses.items()):
        times = [column.name for column in use.table.columns if _is_time(column)]
        looked_up = use.by_key or use.keys & use.compared_columns("equal").keys()
        appended = set(use.operations) == {"insert"} and not looked_up
        if appended and times and not use.referred_by:
            found.append(
                StoreAdvice(
                    kind="log",
                    engine="timescaledb",
                    tables=[name],
                    because=f"{name} is only appended to, each row has its time"
                    f" ({enumerated(times)}), and no table refers to it",
                    at=_places(use.operations["insert"]),
                )
            )
    return found


KINDS: tuple[Callable[[Uses, Sequence[StateFinding]], list[StoreAdvice]], ...] = (
    documents,
    blobs,
    text_search,
    graphs,
    key_values,
    time_series,
)
"""Each gives advice on the tables of one service and the files that it writes."""


def _by_column_type(
    uses: Uses, type_: re.Pattern[str], *, kind: str, engine: str, said: str
) -> list[StoreAdvice]:
    found = []
    for name, use in sorted(uses.items()):
        columns = [column.name for column in use.table.columns if type_.search(column.type)]
        if columns:
            listed = enumerated([f"{name}.{column}" for column in columns])
            verb = "is" if len(columns) == 1 else "are"
            found.append(
                StoreAdvice(
                    kind=kind,
                    engine=engine,
                    tables=[name],
                    because=said.format(f"{listed} {verb}"),
                    at=[f"{use.table.file}:{use.table.line}"],
                )
            )
    return found


def _is_time(column: Column) -> bool:
    return bool(_TIME.search(column.type))


def _merged(places: Iterable[Places]) -> Places:
    return {place: None for each in places for place in each}


def _places(*places: Places) -> list[str]:
    return list(_merged(places))[:_MOST_PLACES]


def relational(evidence_of: Mapping[str, int]) -> str:
    """Why tables stay relational: the counts of what holds them together, in words."""
    words = {
        "commits": ("commit of several of its tables", "commits of several of its tables"),
        "keys": ("foreign key within", "foreign keys within"),
        "joined": (
            "entry point reading several of its tables",
            "entry points reading several of its tables",
        ),
        "columns": (
            "column compared that is no key",
            "columns compared that are no keys",
        ),
    }
    parts = [counted(number, *words[what]) for what, number in evidence_of.items() if number]
    return ", ".join(parts)

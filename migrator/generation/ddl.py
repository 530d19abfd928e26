"""SQLite's CREATE statements, read token by token so that what is kept stays to the letter.

The grammar is that of https://www.sqlite.org/lang_createtable.html; SQLite stores the text of a
statement as it was given, so comments, quoting and line breaks of the monolith's authors survive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?\*/)
    |(?P<string>[xX]?'(?:[^']|'')*')
    |(?P<quoted>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
    |(?P<word>[^\W\d][\w$]*)
    |(?P<number>[\d.][\w.]*)
    |(?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)
_CONSTRAINT_STARTS = frozenset({"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"})
_TYPE_ENDS = _CONSTRAINT_STARTS | {
    "NOT", "NULL", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS",
}  # fmt: skip


class Token(NamedTuple):
    """A piece of SQL other than blanks; `depth` counts the parentheses around it."""

    text: str
    start: int
    end: int
    depth: int
    kind: str

    @property
    def word(self) -> str:
        """The token in capitals where it may be a keyword, else empty."""
        return self.text.upper() if self.kind == "word" else ""

    @property
    def name(self) -> str:
        """The identifier that the token writes, without its quotes."""
        if self.kind != "quoted" and not (self.kind == "string" and self.text[0] == "'"):
            return self.text
        quote = self.text[-1]
        return self.text[1:-1].replace(quote * 2, quote) if quote != "]" else self.text[1:-1]


@dataclass(frozen=True)
class ForeignKey:
    """A REFERENCES clause; `start:end` is the text that has to go with it."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]
    actions: str
    start: int
    end: int


@dataclass(frozen=True)
class TableColumn:
    """A column as it is declared."""

    name: str
    type: str
    collation: str = ""
    generated: str = ""
    """Its `GENERATED ALWAYS AS (...)` clause."""


@dataclass
class TableDefinition:
    """A CREATE TABLE statement, taken apart."""

    sql: str
    name: str
    columns: list[TableColumn] = field(default_factory=list)
    key: tuple[str, ...] = ()
    key_is_rowid: bool = False
    """`INTEGER PRIMARY KEY`: the key is the row's own number."""
    uniques: list[tuple[str, ...]] = field(default_factory=list)
    foreign_keys: list[ForeignKey] = field(default_factory=list)
    commas: list[int] = field(default_factory=list)
    """Where the commas between the elements stand."""

    def without(self, dropped: Sequence[ForeignKey]) -> str:
        """The statement less some of its foreign keys, all else to the letter."""
        cuts = []
        for key in dropped:
            start, end = key.start, key.end
            comma = max((at for at in self.commas if at < start), default=-1)
            if comma >= 0 and not _significant(self.sql[comma + 1 : start]):
                closing = min((at for at in self.commas if at >= end), default=-1)
                rest = self.sql[end:closing] if closing >= 0 else self.sql[end : self._last]
                if not _significant(rest):
                    start = comma
            cuts.append((start, end))
        text, position = "", 0
        for start, end in sorted(cuts):
            kept = self.sql[position:start].rstrip()
            # A line comment has to keep its end.
            text += self.sql[position:start] if "--" in kept.rpartition("\n")[2] else kept
            position = end
        return text + self.sql[position:]

    @property
    def _last(self) -> int:
        return self.sql.rindex(")")


def tokens(sql: str) -> list[Token]:
    """The tokens of a statement without blanks and comments."""
    found: list[Token] = []
    depth = 0
    for match in _TOKEN.finditer(sql):
        kind, text = match.lastgroup or "", match.group()
        if kind == "blank":
            continue
        if text == ")":
            depth -= 1
        found.append(Token(text, match.start(), match.end(), depth, kind))
        if text == "(":
            depth += 1
    return found


def _significant(sql: str) -> bool:
    return bool(tokens(sql))


def quote(name: str) -> str:
    """`name` as a quoted identifier."""
    return '"' + name.replace('"', '""') + '"'


def is_virtual(sql: str) -> bool:
    """Whether a statement makes a virtual table."""
    return [token.word for token in tokens(sql)[:3]] == ["CREATE", "VIRTUAL", "TABLE"]


def read_table(sql: str) -> TableDefinition:
    """Take a CREATE TABLE statement apart."""
    every = tokens(sql)
    opening = next(i for i, token in enumerate(every) if token.text == "(")
    closing = max(i for i, token in enumerate(every) if token.text == ")" and token.depth == 0)
    table = TableDefinition(sql=sql, name=every[opening - 1].name)
    element: list[Token] = []
    for token in [*every[opening + 1 : closing], None]:
        if token is None or (token.text == "," and token.depth == 1):
            if element[0].word in _CONSTRAINT_STARTS:
                _table_constraints(table, element)
            else:
                _column(table, element)
            element = []
            if token is not None:
                table.commas.append(token.start)
        else:
            element.append(token)
    return table


def _column(table: TableDefinition, element: list[Token]) -> None:
    column = element[0].name
    outer = [token for token in element[1:] if token.depth == 1]
    ends = next((t.start for t in outer if t.word in _TYPE_ENDS), element[-1].end)
    type_name = table.sql[element[0].end : ends]
    type_name = " ".join(_without_comments(type_name).split())
    collation = generated = ""
    for index, token in enumerate(outer):
        following = outer[index + 1].word if index + 1 < len(outer) else ""
        if token.word == "COLLATE":
            collation = outer[index + 1].name
        elif token.word == "PRIMARY" and following == "KEY":
            table.key = (column,)
            descending = index + 2 < len(outer) and outer[index + 2].word == "DESC"
            table.key_is_rowid = type_name.upper() == "INTEGER" and not descending
        elif token.word == "UNIQUE":
            table.uniques.append((column,))
        elif token.word == "AS":
            generated = _generated(table.sql, element, token)
    table.columns.append(TableColumn(column, type_name, collation, generated))
    table.foreign_keys.extend(_references(element, (column,)))


def _generated(sql: str, element: list[Token], start: Token) -> str:
    """The clause from `AS` on, up to its parenthesis and `STORED` or `VIRTUAL` behind it."""
    after = element[element.index(start) + 1 :]
    closing = next(i for i, token in enumerate(after) if token.text == ")" and token.depth == 1)
    kind = after[closing + 1].word if closing + 1 < len(after) else ""
    stored = f" {kind}" if kind in ("STORED", "VIRTUAL") else ""
    return f"GENERATED ALWAYS {sql[start.start : after[closing].end]}{stored}"


def _table_constraints(table: TableDefinition, element: list[Token]) -> None:
    for index, token in enumerate(element):
        if token.depth != 1:
            continue
        if token.word == "PRIMARY":
            table.key = _names(element, index)
            only = [c for c in table.columns if len(table.key) == 1 and c.name == table.key[0]]
            table.key_is_rowid = bool(only) and only[0].type.upper() == "INTEGER"
        elif token.word == "UNIQUE":
            table.uniques.append(_names(element, index))
    table.foreign_keys.extend(_references(element, ()))


def _names(element: list[Token], start: int) -> tuple[str, ...]:
    """The columns in the parentheses that follow `start`; orders and collations left out."""
    found: list[str] = []
    opening = next(i for i in range(start, len(element)) if element[i].text == "(")
    expected = True
    for token in element[opening + 1 :]:
        if token.text == ")" and token.depth == element[opening].depth:
            break
        if token.text == ",":
            expected = True
        elif expected:
            found.append(token.name)
            expected = False
    return tuple(found)


def _references(element: list[Token], columns: tuple[str, ...]) -> Iterator[ForeignKey]:
    outer = [token for token in element if token.depth == 1]
    for index, token in enumerate(outer):
        if token.word != "REFERENCES":
            continue
        start = index
        source = columns
        foreign = next((i for i in range(index - 1, -1, -1) if outer[i].word == "FOREIGN"), None)
        if foreign is not None:
            start = foreign
            source = _names(element, element.index(outer[foreign]))
        if start >= 2 and outer[start - 2].word == "CONSTRAINT":
            start -= 2
        last, actions = _clause_end(outer, index + 1)
        position = element.index(outer[index + 1])
        target_columns: tuple[str, ...] = ()
        if position + 1 < len(element) and element[position + 1].text == "(":
            target_columns = _names(element, position)
        yield ForeignKey(
            source,
            outer[index + 1].name,
            target_columns,
            actions,
            outer[start].start,
            last.end,
        )


def _clause_end(outer: list[Token], index: int) -> tuple[Token, str]:
    """The last token of the clause whose table name stands at `index`, and its actions."""
    end = index
    actions: list[str] = []
    if end + 1 < len(outer) and outer[end + 1].text == "(":
        end += 2
    while end + 1 < len(outer):
        words = [token.word for token in outer[end + 1 : end + 5]]
        if words[0] == "ON":
            length = 4 if words[2] in ("SET", "NO") else 3
            actions.append(" ".join(words[:length]))
        elif words[0] == "MATCH" or words[0] == "INITIALLY":
            length = 2
        elif words[0] == "DEFERRABLE":
            length = 1
        elif words[:2] == ["NOT", "DEFERRABLE"]:
            length = 2
        else:
            break
        end += length
    return outer[end], " ".join(actions)


def _without_comments(sql: str) -> str:
    parts = []
    for match in _TOKEN.finditer(sql):
        blank = match.lastgroup == "blank"
        parts.append(" " if blank else match.group())
    return "".join(parts)


def without_unique(sql: str) -> str:
    """A CREATE UNIQUE INDEX statement as a plain CREATE INDEX."""
    every = tokens(sql)
    if len(every) > 2 and every[1].word == "UNIQUE":
        return sql[: every[1].start] + sql[every[2].start :]
    return sql


def mentioned(sql: str) -> set[str]:
    """Every identifier in a statement, folded; strings and keywords are not told apart."""
    return {token.name.casefold() for token in tokens(sql) if token.kind in ("word", "quoted")}

"""What the values are that declarations make: their tags, and what each declaration says."""

from __future__ import annotations

from typing import NamedTuple

COLUMN = "sqlalchemy:column"
FOREIGN_KEY = "sqlalchemy:foreign_key"
RELATIONSHIP = "sqlalchemy:relationship"
BACKREF = "sqlalchemy:backref"
TABLE = "sqlalchemy:table"
TABLE_COLUMNS = "sqlalchemy:table_columns"
CLASS_TABLE = "sqlalchemy:class_table"
BASE = "sqlalchemy:base"
DECLARED = "sqlalchemy:declared_attr"
ATTRIBUTE = "sqlalchemy:attribute"
MAPPER = "sqlalchemy:mapper"

IMPLICIT = "implicit"
"""Part of a `BASE` whose classes name their tables themselves and have a `query`."""
OF_A_LIBRARY = "library"
"""Part of a `BASE` that some package defines; nothing is known of it but that it is one."""
STATEMENTS = "statements"
"""Part of a `BASE` whose classes make statements themselves (`User.select()`)."""
IMPERATIVE = "imperative"
"""Part of the `BASE` that a class has which is mapped by a call."""

DECLARATIVE_BASES = frozenset(
    {
        "sqlalchemy.orm.DeclarativeBase",
        "sqlalchemy.orm.DeclarativeBaseNoMeta",
        "sqlalchemy.orm.decl_api.DeclarativeBase",
        "sqlalchemy.ext.declarative.DeclarativeBase",
        "sqlmodel.SQLModel",
    }
)


class ColumnFact(NamedTuple):
    """One `Column(...)` or `mapped_column(...)`."""

    name: str
    type: str
    foreign_keys: tuple[int, ...]
    primary_key: bool
    nullable: bool | None
    unique: bool
    mutable: bool


class KeyFact(NamedTuple):
    """One `ForeignKey("table.column", ondelete=...)`; `columns` where it is given an object."""

    texts: tuple[str, ...]
    columns: tuple[int, ...]
    on_delete: str


class RelationshipFact(NamedTuple):
    """One `relationship(...)` as written."""

    targets: int
    """The variable that holds target classes or their names."""
    secondary: int | None
    many: bool | None
    cascades: tuple[str, ...]
    passive_deletes: bool
    view_only: bool
    eager: bool
    dynamic: bool
    remote_side: bool
    foreign_keys: tuple[int, ...]
    """Columns, attributes of classes and texts, as given."""
    back_populates: str
    backrefs: tuple[tuple[str, RelationshipFact | None], ...]
    line: int


class TableCall(NamedTuple):
    """One `Table("name", metadata, ...)`."""

    names: tuple[str, ...]
    parts: tuple[int, ...]
    file: str
    line: int
    schema: str = ""


class BackrefUse(NamedTuple):
    """A relationship that a `backref` makes on the target's class."""

    name: str
    owner: int
    """The class that declares the relationship, and is the target of this side."""
    relationship: int
    options: RelationshipFact | None

"""Which models and tables belong together: whatever changes what a kept model does.

Foreign keys, relationships from either side, association tables, inheritance. The graph knows most
of it; tables that declare themselves in the text are found without it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from migrator.generation.names import Project
from migrator.generation.registrations import functions_in
from migrator.generation.scopes import Text
from migrator.generation.source import Unit
from migrator.model.program import Table

# Functions of SQLAlchemy whose string arguments name models or tables.
_NAMING = frozenset(
    {
        "relationship", "backref", "ForeignKey", "ForeignKeyConstraint", "association_proxy",
        "dynamic_loader", "aliased", "remote", "foreign",
    }
)  # fmt: skip
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class Mapping:
    """The units that define models and tables."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._tables: dict[Unit, list[Table]] = {}
        self._by_table: dict[str, list[Unit]] = {}
        self._by_model: dict[str, list[Unit]] = {}
        self.subclasses: dict[str, list[str]] = {}
        """Dotted class to the classes of the monolith that derive from it."""
        for table in project.program.tables.values():
            for unit in self.units_of(table):
                self._add(unit, table.name)
                self._tables.setdefault(unit, []).append(table)
        for module in project.modules.values():
            for unit in module.units:
                declared = _declared(unit)
                if declared and unit not in self.of_table(declared):
                    self._add(unit, declared)
        for name, bases in sorted(project.program.classes.items()):
            for base in bases:
                self.subclasses.setdefault(base, []).append(name)

    def _add(self, unit: Unit, table: str) -> None:
        self._by_table.setdefault(table, []).append(unit)
        if isinstance(unit.node, ast.ClassDef):
            self._by_model.setdefault(unit.node.name, []).append(unit)

    def units_of(self, table: Table) -> list[Unit]:
        """The units that define a table: its model, or the statement at its place."""
        if table.model:
            return self.project.unit_of(table.model)
        return [
            unit
            for module in self.project.modules.values()
            if module.file == table.file
            for unit in module.units
            if unit.first_line <= table.line <= unit.last_line
        ]

    def of_table(self, name: str) -> list[Unit]:
        """The units that define the table of that name."""
        return self._by_table.get(name, [])

    def named_in(self, text: Text) -> list[Unit]:
        """The models and tables that a string names: `"Member"`, `"members.id"`."""
        if text.call not in _NAMING or not text.constant:
            return []
        found = list(self.of_table(text.constant.rpartition(".")[0] or text.constant))
        for name in _IDENTIFIER.findall(text.constant):
            found.extend(self._by_model.get(name, ()))
        return found

    def related(self, unit: Unit) -> Iterator[Unit]:
        """The units without which a kept one would act differently."""
        if isinstance(unit.node, ast.ClassDef) and (
            unit in self._tables
            or any(name.endswith("__init_subclass__") for name, _ in functions_in(unit.node, ""))
        ):
            for name in self.subclasses.get(unit.name, ()):
                yield from self.project.unit_of(name)
        for table in self._tables.get(unit, ()):
            for column in table.columns:
                yield from self.of_table(column.referred)
            for relationship in table.relationships:
                yield from self.project.unit_of(relationship.target)
                yield from self.of_table(relationship.secondary)


def _declared(unit: Unit) -> str:
    """The table's name as the unit itself says it; empty when it is no table."""
    if isinstance(unit.node, ast.ClassDef):
        for statement in unit.node.body:
            if (
                isinstance(statement, ast.Assign)
                and isinstance(statement.value, ast.Constant)
                and any(getattr(each, "id", "") == "__tablename__" for each in statement.targets)
            ):
                return str(statement.value.value)
    value = getattr(unit.node, "value", None)
    if isinstance(value, ast.Call) and value.args:
        name = value.func.attr if isinstance(value.func, ast.Attribute) else ""
        first = value.args[0]
        if (name or getattr(value.func, "id", "")) == "Table" and isinstance(first, ast.Constant):
            return str(first.value)
    return ""

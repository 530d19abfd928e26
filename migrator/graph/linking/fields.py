"""What is stored in the attributes of values themselves: a variable a value and name."""

from __future__ import annotations

from migrator.facts.project import ProjectFacts
from migrator.graph.linking.definitions import Definitions
from migrator.graph.linking.values import Kind


class Fields(Definitions):
    """Definitions, with the fields of what they make."""

    def __init__(self, facts: ProjectFacts) -> None:
        super().__init__(facts)
        self._fields: dict[str, dict[int, int]] = {}
        """By name and value."""
        self._whole_fields: set[int] = set()

    def field(self, value: int, name: str) -> int:
        """The variable of what is stored in an attribute of a value itself.

        An instance also has what code of its bases, which knows only the base, stores there, and
        one that is told apart what code stores that knows only its class.
        """
        variable = self.own_field(value, name)
        if self.values.kinds[value] == Kind.INSTANCE and variable not in self._whole_fields:
            self._whole_fields.add(variable)
            for inherited in self._inherited(value):
                self.flow(self.field(inherited, name), variable)
        return variable

    def own_field(self, value: int, name: str) -> int:
        """The variable of what code stores that knows exactly this value."""
        return self._own_field(self._fields_named(name), value)

    def _fields_named(self, name: str) -> dict[int, int]:
        fields = self._fields.get(name)
        if fields is None:
            fields = self._fields[name] = {}
        return fields

    def _own_field(self, fields: dict[int, int], value: int) -> int:
        known = fields.get(value)
        if known is None:
            known = fields[value] = self.new()
        return known

    def read_field(self, value: int, name: str, target: int) -> None:
        """What `field` tells flows into a variable, without one of its own for all of it.

        Many classes have one base: what it stores then flows to where it is read once, and not
        through a variable of each of them.
        """
        self._read_field(self._fields_named(name), value, target)

    def _read_field(self, fields: dict[int, int], value: int, target: int) -> None:
        variable = fields.get(value)
        if variable is None:
            variable = self._own_field(fields, value)
        elif self._leads(variable, target):
            return
        self.flow(variable, target)
        if self.values.kinds[value] == Kind.INSTANCE and variable not in self._whole_fields:
            for inherited in self._inherited(value):
                self._read_field(fields, inherited, target)

    def _inherited(self, value: int) -> list[int]:
        """The instances whose fields an instance has too: those of its direct bases."""
        owner = self.values.owners[value]
        if self.values.parts[value]:
            return [self.values.instance(owner)]
        class_ = self.class_of_value[owner]
        if class_.parents is None:
            class_.parents = [
                self.values.instance(base)
                for group in class_.bases
                for base in group
                if base in self.class_of_value and base != owner
            ]
        return class_.parents

    def store_field(self, value: int, name: str, source: int) -> None:
        """`value.name = source`, without any descriptor."""
        self.flow(source, self.own_field(value, name))

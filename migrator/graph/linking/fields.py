"""What is stored in the attributes of values themselves: a variable a value and name."""

from __future__ import annotations

from migrator.facts.project import ProjectFacts
from migrator.graph.linking.names import Definitions
from migrator.graph.linking.values import Kind


class Fields(Definitions):
    """Definitions, with the fields of what they make."""

    def __init__(self, facts: ProjectFacts) -> None:
        self._fields: dict[str, dict[int, int]] = {}
        """By name and value."""
        self._whole_fields: set[int] = set()
        self._lines: dict[int, tuple[int, ...]] = {}
        """By value: itself, and the instances whose fields it has too."""
        self._below: dict[int, dict[int, None]] = {}
        """By value: those in whose line it is."""
        self._readers: dict[str, dict[int, list[int]]] = {}
        """By name and value: the variables that get what is stored, also in fields to come."""
        super().__init__(facts)

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
        fields = self._fields.setdefault(name, {})
        known = fields.get(value)
        if known is None:
            known = fields[value] = self.new()
            readers = self._readers.get(name, {})
            for each in self._below.get(value, ()):
                for target in readers.get(each, ()):
                    self.flow(known, target)
        return known

    def stored_names(self) -> dict[int, list[str]]:
        """By value: the names under which code stores that knows exactly this value."""
        found: dict[int, list[str]] = {}
        for name, fields in self._fields.items():
            for value in fields:
                found.setdefault(value, []).append(name)
        return found

    def has_field(self, value: int, name: str) -> bool:
        """Whether code was seen that stores under that name in a value itself."""
        return value in self._fields.get(name, ())

    def read_field(self, value: int, name: str, target: int) -> None:
        """What `field` tells flows into a variable, without one of its own for all of it.

        Many classes have one base: what it stores then flows to where it is read once, and not
        through a variable of each of them. Most store nothing under a name that others store
        under: a field is made for what is stored, and readers are told of it then.
        """
        line = self._lines.get(value)
        if line is None:
            line = self._lines[value] = self._line(value)
            for each in line:
                self._below.setdefault(each, {})[value] = None
        fields = self._fields.get(name)
        if fields is not None:
            for each in line:
                variable = fields.get(each)
                if variable is not None:
                    self.flow(variable, target)
        readers = self._readers.get(name)
        if readers is None:
            readers = self._readers[name] = {}
        if value in readers:
            readers[value].append(target)
        else:
            readers[value] = [target]

    def _line(self, value: int) -> tuple[int, ...]:
        """What `_lines` says of a value: those that are nearer first."""
        if self.values.kinds[value] != Kind.INSTANCE:
            return (value,)
        found: dict[int, None] = {}
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if each not in found:
                found[each] = None
                waiting += reversed(self._inherited(each))
        return tuple(found)

    def forget_lookups(self) -> None:
        super().forget_lookups()
        self._lines.clear()

    def rest(self) -> None:
        super().rest()
        self._readers = {}

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

"""Where names lead in the monolith: through imports, re-exports, module attributes and strings.

It needs only the source text. What can only be known by running the program (a module whose
attributes are looked up by name, a package imported by a computed name) is answered with the whole
module, never with nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from migrator.generation.scopes import Reference, References, Text, references
from migrator.generation.source import ImportTarget, Module, Unit, read_module
from migrator.model.errors import MigratorError
from migrator.model.program import Program


class Whole(NamedTuple):
    """A module used as a value: anything in it may be looked up."""

    module: Module


class Touched(NamedTuple):
    """A module that is imported, of which nothing in particular is used."""

    module: Module


Target = Unit | Whole | Touched

# Functions whose string argument names a module or an object in one.
IMPORTING = frozenset(
    {"import_module", "__import__", "import_string", "from_object", "find_modules", "run_module"}
)
_OF_EVERY_MODULE = frozenset(
    {"__name__", "__file__", "__path__", "__doc__", "__package__", "__spec__", "__loader__"}
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+\Z")


class Project:
    """All modules of the monolith, and how names in them resolve."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.modules: dict[str, Module] = {}
        self.unreadable: dict[str, MigratorError] = {}
        root = Path(program.root)
        for name, file in sorted(program.modules.items()):
            try:
                self.modules[name] = read_module(root, name, file, source_root_of(program, file))
            except MigratorError as error:
                self.unreadable[name] = error
        self.tops = {name.partition(".")[0] for name in program.modules}
        self.endpoints = {each.endpoint for each in program.entry_points.values() if each.endpoint}
        self._mapped = {each.model for each in program.tables.values()}
        self._references: dict[Unit, References] = {}
        self._submodules: dict[str, list[Module]] = {}

    def references_of(self, unit: Unit) -> References:
        """What a unit refers to when nothing of it is left out; cached."""
        found = self._references.get(unit)
        if found is None:
            found = self._references[unit] = references(unit.module, [unit.node])
        return found

    @cached_property
    def users(self) -> dict[Unit, set[Unit]]:
        """Each unit to those of the whole monolith that name it, imports left out."""
        found: dict[Unit, set[Unit]] = {}
        for module in self.modules.values():
            for unit in module.units:
                if unit.alias is None:
                    for reference in self.references_of(unit).names:
                        for origin in self.origins_of(module, reference):
                            found.setdefault(origin, set()).add(unit)
        return found

    # Names

    def resolve(self, module: Module, reference: Reference) -> Iterator[Target]:
        """What a reference of `module` leads to, every import on the way included."""
        if reference.origin is not None:
            yield from self.through(reference.origin, reference.chain, escapes=True)
        else:
            yield from self.lookup(module, reference.chain[0], reference.chain[1:])

    def lookup(
        self,
        module: Module,
        name: str,
        rest: tuple[str, ...] = (),
        *,
        escapes: bool = True,
        seen: frozenset[tuple[str, str]] = frozenset(),
    ) -> Iterator[Target]:
        """What `name` of a module, and the attributes after it, lead to."""
        # `from . import views` in `__init__` binds what it imports: the second time, the module.
        repeated = (module.name, name) in seen
        seen |= {(module.name, name)}
        units = [] if repeated else module.bindings.get(name, [])
        for unit in units:
            yield unit
            for target in _targets_binding(unit, name):
                yield from self.through(target, rest, escapes=escapes, seen=seen)
        if units:
            return
        submodule = self.modules.get(f"{module.name}.{name}") if module.is_package else None
        if submodule is not None:
            yield from self._attribute(submodule, rest, escapes, seen)
            return
        if repeated:
            return
        for unit in module.stars:
            for edge in unit.imports:
                source = self.modules.get(edge.target.module)
                if source is None:
                    yield unit
                elif found := list(self.lookup(source, name, rest, escapes=escapes, seen=seen)):
                    yield unit
                    yield from found
        yield from module.bindings.get("__getattr__", [])

    def through(
        self,
        target: ImportTarget,
        rest: tuple[str, ...] = (),
        *,
        escapes: bool,
        seen: frozenset[tuple[str, str]] = frozenset(),
    ) -> Iterator[Target]:
        """What an imported name, and the attributes after it, lead to."""
        module = self.modules.get(target.module)
        if module is None:
            yield from self._in_namespace(target, rest, escapes, seen)
        elif target.name is None:
            yield from self._attribute(module, rest, escapes, seen)
        elif target.name == "*":
            yield Touched(module)
        else:
            yield Touched(module)
            yield from self.lookup(module, target.name, rest, escapes=escapes, seen=seen)

    def _in_namespace(
        self,
        target: ImportTarget,
        rest: tuple[str, ...],
        escapes: bool,
        seen: frozenset[tuple[str, str]],
    ) -> Iterator[Target]:
        """What lies in a package that has no file of its own."""
        if target.module.partition(".")[0] not in self.tops:
            return
        dotted = ".".join([target.module, *([target.name] if target.name else []), *rest])
        split = self.split(dotted)
        if split is not None:
            yield from self._attribute(*split, escapes, seen)

    def _attribute(
        self,
        module: Module,
        rest: tuple[str, ...],
        escapes: bool,
        seen: frozenset[tuple[str, str]],
    ) -> Iterator[Target]:
        yield Touched(module)
        if not rest:
            if escapes:
                yield Whole(module)
            return
        if rest[0] in _OF_EVERY_MODULE:
            return
        found = list(self.lookup(module, rest[0], rest[1:], escapes=escapes, seen=seen))
        yield from found
        if not found and escapes:
            yield Whole(module)

    def origins(self, module: Module, chain: tuple[str, ...]) -> list[Unit]:
        """The units that really make what a chain stands for: imports are followed, not given."""
        if not chain:
            return []
        found = self.lookup(module, chain[0], chain[1:])
        return [
            each
            for each in found
            if isinstance(each, Unit) and each.kind not in ("import", "future")
        ]

    def origins_of(self, module: Module, reference: Reference) -> list[Unit]:
        """The units that make what a reference stands for, wherever it was imported."""
        if reference.origin is None:
            return self.origins(module, reference.chain)
        return [
            each
            for each in self.through(reference.origin, reference.chain, escapes=False)
            if isinstance(each, Unit) and each.kind not in ("import", "future")
        ]

    def unit_of(self, dotted: str) -> list[Unit]:
        """The top-level units that a dotted name (of a method, an inner function) lies in."""
        split = self.split(dotted)
        if split is None:
            return []
        module, rest = split
        return list(module.bindings.get(rest[0], [])) if rest else []

    def split(self, dotted: str) -> tuple[Module, tuple[str, ...]] | None:
        """The longest module that a dotted name starts with, and the names after it."""
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            module = self.modules.get(".".join(parts[:length]))
            if module is not None:
                return module, tuple(parts[length:])
        return None

    def definition_named(self, dotted: str) -> list[Target]:
        """What an exact dotted name leads to; empty when it does not resolve to the end."""
        split = self.split(dotted)
        if split is None:
            return []
        module, rest = split
        if not rest:
            return [Touched(module)]
        return (
            [Touched(module), *self.lookup(module, rest[0], rest[1:], escapes=False)]
            if (rest[0] in module.bindings)
            else []
        )

    # Texts

    def named_in(self, module: Module, text: Text) -> list[Target]:
        """What a string in the code leads to: exact dotted names, and computed module names."""
        importing = text.call in IMPORTING
        constant = text.constant
        if constant is None:
            return self._computed(module, text) if importing else []
        if importing and constant.startswith("."):
            constant = module.package + constant
        if importing and constant in self.modules:
            return [Whole(self.modules[constant])]
        if not _DOTTED.match(constant) or constant.partition(".")[0].partition(":")[0] not in (
            self.tops
        ):
            return []
        if text.call in ("getLogger", "url_for") or (constant in self.endpoints and not importing):
            return []
        found = self.definition_named(constant.replace(":", "."))
        # A class chosen by its name has siblings that another setting would choose.
        found.extend(
            Whole(each.module)
            for each in list(found)
            if isinstance(each, Unit)
            and isinstance(each.node, ast.ClassDef)
            and each.name not in self._mapped
        )
        return found

    def _computed(self, module: Module, text: Text) -> list[Target]:
        parts = [module.name if part == "__name__" else part for part in text.parts]
        if parts and parts[0] and parts[0].startswith("."):
            parts[0] = module.package + parts[0]
        if not any(part and part.strip(".") for part in parts):
            return []
        pattern = re.compile("".join(r"[\w.]+" if p is None else re.escape(p) for p in parts))
        found: list[Target] = []
        for name, each in sorted(self.modules.items()):
            if pattern.fullmatch(name):
                found.append(Whole(each))
            elif pattern.fullmatch(name + ".") or re.match(pattern, name + "."):
                found.append(Touched(each))
        matched: list[Target] = [each for each in found if isinstance(each, Whole)]
        if matched:
            return matched
        # `package.module.Class` with a computed class: the module that holds it.
        for prefix in _prefixes(parts[0] or ""):
            if prefix in self.modules:
                return [Whole(self.modules[prefix])]
        return []

    # Imports

    def imported_modules(self, target: ImportTarget) -> list[Module]:
        """The modules that one import executes, parents first."""
        names = list(reversed(list(_prefixes(target.module))))
        if target.name not in (None, "*"):
            names.append(f"{target.module}.{target.name}")
        return [self.modules[each] for each in names if each in self.modules]


def source_root_of(program: Program, file: str) -> str:
    """The source root that a file lies in, without a slash at its end; empty: the project."""
    roots = [each.strip("/") for each in program.source_roots if each not in ("", ".")]
    fitting = [each for each in roots if file.startswith(each + "/")]
    return max(fitting, key=len, default="")


def source_path(program: Program, file: str) -> str:
    """The path of a file below its source root, as it stands in a service's `src/`."""
    source_root = source_root_of(program, file)
    return file[len(source_root) + 1 :] if source_root else file


def _prefixes(dotted: str) -> Iterable[str]:
    parts = dotted.rstrip(".").split(".")
    return (".".join(parts[:length]) for length in range(len(parts), 0, -1))


def _targets_binding(unit: Unit, name: str) -> Iterator[ImportTarget]:
    """The imports in a unit through which it binds `name`."""
    if unit.alias is not None:
        assert isinstance(unit.node, ast.Import | ast.ImportFrom)
        target = unit.imports[0].target
        if isinstance(unit.node, ast.Import) and not unit.alias.asname:
            target = ImportTarget(target.module.partition(".")[0])
        yield target
    elif unit.kind in ("assignment", "main"):
        for edge in unit.imports:
            last = edge.target.name or edge.target.module.partition(".")[0]
            if not edge.function and last == name:
                yield edge.target

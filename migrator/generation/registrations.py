"""Which code acts without being named: routes, hooks, listeners and other registrations.

Every unit that runs when its module is imported gets a `Rule`: it is kept always, never, only when
something else is kept, or when a blueprint has a route of this service.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from migrator.generation.names import Project
from migrator.generation.scopes import Reference, chain_of, last_name
from migrator.generation.source import DefinitionNode, FunctionNode, Module, Unit
from migrator.model.program import EntryPoint

# On a blueprint these act on its own routes only.
_OF_A_BLUEPRINT = frozenset(
    {
        "before_request", "after_request", "teardown_request", "context_processor",
        "errorhandler", "register_error_handler", "url_value_preprocessor", "url_defaults",
    }
)  # fmt: skip
# Attributes of an object that wrap a function and register nothing.
_WRAPPING = frozenset(
    {
        "cached", "memoize", "limit", "shared_limit", "exempt", "login_required", "setter",
        "getter", "deleter", "wraps", "arguments", "response", "doc", "expect", "marshal_with",
        "validate", "required", "require", "time", "count_exceptions", "track_inprogress",
    }
)  # fmt: skip
# Attributes by which an object from outside the monolith registers a function.
_REGISTERING = frozenset(
    {"listens_for", "listen", "connect", "connect_via", "register", "receiver", "on", "subscribe"}
)
_MUTATING = frozenset({"append", "add", "setdefault", "update", "register", "insert", "extend"})
_DESCRIPTORS = frozenset({"staticmethod", "classmethod", "property"})
# Entry points whose registration belongs to one service alone.
_EXCLUSIVE = frozenset({"route", "command", "task", "schedule", "process"})


class Rule(NamedTuple):
    """When a unit is kept although nothing names it."""

    how: Literal["always", "never", "when", "active"]
    units: tuple[Unit, ...] = ()


@dataclass
class Registrations:
    """What the entry points of one service mean for the monolith's registrations."""

    project: Project
    own: frozenset[str]
    """Names of the service's entry points."""
    applications: frozenset[Unit] = frozenset()
    """The units that make the application object."""
    handlers: dict[Unit, list[EntryPoint]] = field(default_factory=dict)
    """Entry points by the top-level definition that handles them."""
    nested: dict[int, list[EntryPoint]] = field(default_factory=dict)
    """Entry points by the identity of a definition inside a function that handles them."""

    def __post_init__(self) -> None:
        for entry in self.project.program.entry_points.values():
            for unit in self.project.unit_of(entry.handler):
                if not isinstance(unit.node, DefinitionNode):
                    continue
                if unit.name == entry.handler or isinstance(unit.node, ast.ClassDef):
                    self.handlers.setdefault(unit, []).append(entry)
                for name, node in definitions_in(unit.node, unit.name):
                    if name == entry.handler:
                        self.nested.setdefault(id(node), []).append(entry)

    @property
    def has_foreign(self) -> bool:
        """Whether any entry point belongs to another service."""
        return not self.own.issuperset(self.project.program.entry_points)

    @cached_property
    def scans_modules(self) -> bool:
        """Whether the monolith goes through `sys.modules` to find what is marked in them."""
        return any(
            reference.chain[:2] == ("sys", "modules")
            and len(reference.chain) > 2
            and reference.chain[2] in ("items", "values", "keys", "copy")
            for module in self.project.modules.values()
            for unit in module.units
            for reference in self.project.references_of(unit).names
        )

    def calls(self, unit: Unit) -> bool:
        """Whether code of the monolith calls a function itself, a worker's start left out."""
        return any(
            reference.called and unit in self.project.origins_of(module, reference)
            for module in self.project.modules.values()
            for each in module.units
            if each is not unit and each.kind != "main" and each.alias is None
            for reference in self.project.references_of(each).names
            if _last_of(reference) in unit.binds or module is unit.module
        )

    def is_own(self, entry: EntryPoint) -> bool:
        """Whether an entry point belongs to this service."""
        return entry.name in self.own

    def rule(self, unit: Unit) -> Rule | None:
        """The rule of a unit; None: it is kept when it is named, not otherwise."""
        if unit.kind == "effect":
            return self._effect(unit)
        if unit.kind == "definition":
            return self._definition(unit)
        if unit.kind == "assignment":
            return self._assignment(unit)
        return None

    def decorators_of_the_owner(self, module: Module, node: FunctionNode) -> list[ast.expr]:
        """The decorators that act around a function, and so run where its body does.

        What says how it is called, and what registers it here, is left out.
        """
        return [
            each
            for each in node.decorator_list
            if last_name(each.func if isinstance(each, ast.Call) else each) not in _DESCRIPTORS
            and self._decorator(module, each) is None
        ]

    def foreign_decorators(self, unit: Unit) -> list[ast.expr]:
        """The decorators of a kept handler that register it for another service."""
        entries = [each for each in self.handlers.get(unit, ()) if each.kind in _EXCLUSIVE]
        if not entries or all(self.is_own(each) for each in entries):
            return []
        assert isinstance(unit.node, DefinitionNode)
        return [
            each
            for each in unit.node.decorator_list
            if self._registers(unit.module, each) and not self._is_own_rule(each, unit, entries)
        ]

    def _is_own_rule(self, decorator: ast.expr, unit: Unit, entries: list[EntryPoint]) -> bool:
        assert isinstance(unit.node, DefinitionNode)
        endpoint = _keyword(decorator, "endpoint") or unit.node.name
        fitting = [each for each in entries if each.endpoint.rpartition(".")[2] == endpoint]
        return any(self.is_own(each) for each in fitting or entries)

    # Definitions

    def _definition(self, unit: Unit) -> Rule | None:
        entries = self.handlers.get(unit, [])
        if any(self.is_own(each) for each in entries):
            return Rule("always")
        if any(each.kind in _EXCLUSIVE for each in entries):
            return None
        assert isinstance(unit.node, DefinitionNode)
        conditions: list[Unit] = []
        for decorator in unit.node.decorator_list:
            rule = self._decorator(unit.module, decorator)
            if rule is not None and rule.how != "when":
                return rule
            if rule is not None:
                conditions.extend(rule.units)
        return Rule("when", tuple(conditions)) if conditions else None

    def _registers(self, module: Module, decorator: ast.expr) -> bool:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not isinstance(call, ast.Attribute) or call.attr in _WRAPPING:
            return False
        receiver = self.project.origins(module, chain_of(call.value))
        return bool(receiver) or call.attr in _REGISTERING

    def _decorator(self, module: Module, decorator: ast.expr) -> Rule | None:
        call = decorator.func if isinstance(decorator, ast.Call) else decorator
        arguments = decorator.args if isinstance(decorator, ast.Call) else []
        chain = chain_of(call)
        if not chain:
            return None
        if len(chain) > 1:
            receiver = self.project.origins(module, chain[:-1])
            objects = [each for each in receiver if not isinstance(each.node, DefinitionNode)]
            if objects and chain[-1] not in _WRAPPING:
                local = chain[-1] in _OF_A_BLUEPRINT and any(map(_is_blueprint, objects))
                return Rule("active" if local else "when", tuple(objects))
        own = self.project.origins(module, chain)
        if any(each.kind == "assignment" for each in own):
            # A mark (pluggy's `HookimplMarker`) is found by who looks through the modules.
            return Rule("always") if self.scans_modules else None
        if own:
            registries = [r for each in own for r in self._registries(each)]
            return Rule("when", tuple(registries)) if registries else None
        if chain[-1] in _REGISTERING:
            return self._on_subject(module, arguments)
        return None

    def _registries(self, decorator: Unit) -> Iterator[Unit]:
        """The module-level objects that a decorator of the monolith puts what it gets into."""
        if not isinstance(decorator.node, DefinitionNode):
            return
        for node in ast.walk(decorator.node):
            chain: tuple[str, ...] = ()
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                chain = chain_of(node.value)
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _MUTATING
            ):
                chain = chain_of(node.func.value)
            if chain:
                for unit in self.project.origins(decorator.module, chain):
                    if unit.kind == "assignment":
                        yield unit

    # Effects

    def _assignment(self, unit: Unit) -> Rule | None:
        """`csrf = CSRFProtect(app)`: what is given the application acts on it."""
        value = getattr(unit.node, "value", None)
        if not isinstance(value, ast.Call) or unit in self.applications:
            return None
        given = [*value.args, *(each.value for each in value.keywords)]
        subjects = [each for argument in given for each in self._roots(unit.module, argument)]
        subjects = [each for each in subjects if each in self.applications]
        return Rule("when", tuple(subjects)) if subjects else None

    def _only_acts(self, receiver: Unit) -> bool:
        """Whether an object is there for what is done with it at import alone."""
        users = self.project.users.get(receiver, set()) - {receiver}
        return receiver.kind == "assignment" and all(each.kind == "effect" for each in users)

    def _effect(self, unit: Unit) -> Rule:
        named = self._named(unit)
        entries = [entry for each in named for entry in self.handlers.get(each, ())]
        entries = [each for each in entries if each.kind in _EXCLUSIVE]
        if entries and _may_register(unit.node):
            entries = self._of_this_rule(unit, entries)
            return Rule("always" if any(map(self.is_own, entries)) else "never")
        rules = [self._statement(unit.module, each) for each in _simple_statements(unit.node)]
        for how in ("always", "active"):
            for rule in rules:
                if rule.how == how:
                    return rule
        receivers = tuple(each for rule in rules for each in rule.units)
        if receivers and all(map(self._only_acts, receivers)):
            named = [each for receiver in receivers for each in self._named(receiver)]
            entries = [entry for each in named for entry in self.handlers.get(each, ())]
            if entries and not any(map(self.is_own, entries)):
                return Rule("never")
            return Rule("always")
        return Rule("when", receivers)

    def _of_this_rule(self, unit: Unit, entries: list[EntryPoint]) -> list[EntryPoint]:
        endpoints = {
            name
            for node in ast.walk(unit.node)
            if isinstance(node, ast.Call)
            for name in (_keyword(node, "endpoint"), _view_name(node))
            if name
        }
        fitting = [each for each in entries if each.endpoint.rpartition(".")[2] in endpoints]
        return fitting or entries

    def _named(self, unit: Unit) -> list[Unit]:
        found: list[Unit] = []
        for reference in self.project.references_of(unit).names:
            found.extend(self.project.origins_of(unit.module, reference))
        return found

    def _statement(self, module: Module, node: ast.stmt) -> Rule:
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete):
            targets = (
                [node.target] if not isinstance(node, ast.Assign | ast.Delete) else (node.targets)
            )
            subjects = [u for each in targets for u in self._roots(module, each)]
            return Rule("when", tuple(subjects)) if subjects else Rule("always")
        if not isinstance(node, ast.Expr):
            return Rule("always")
        value = node.value
        if not isinstance(value, ast.Call):
            return Rule("when")
        chain = chain_of(value.func)
        receiver = self.project.origins(module, chain[:-1]) if len(chain) > 1 else []
        if not chain:
            receiver = self._roots(module, value.func)
        if receiver:
            if chain and chain[-1] in _OF_A_BLUEPRINT and any(map(_is_blueprint, receiver)):
                return Rule("active", tuple(receiver))
            return Rule("when", tuple(receiver))
        return self._on_subject(module, value.args)

    def _on_subject(self, module: Module, arguments: Iterable[ast.expr]) -> Rule:
        for argument in arguments:
            subjects = self._roots(module, argument)
            if subjects:
                return Rule("when", tuple(subjects))
            if chain_of(argument):
                # `listens_for(Engine, ...)`: something from outside, so the whole application.
                return Rule("always")
        return Rule("always")

    def _roots(self, module: Module, node: ast.expr) -> list[Unit]:
        while isinstance(node, ast.Subscript | ast.Call | ast.Starred):
            node = node.func if isinstance(node, ast.Call) else node.value
        if isinstance(node, ast.Attribute) and not chain_of(node):
            return self._roots(module, node.value)
        return self.project.origins(module, chain_of(node))

    # Blueprints

    def blueprints_of(self, unit: Unit) -> list[Unit]:
        """The blueprints that a unit registers something on."""
        return [each for each in self._named(unit) if _is_blueprint(each)]

    def parents(self, modules: Iterable[Module]) -> dict[Unit, list[Unit]]:
        """Blueprint to those that it is registered on by module-level code."""
        found: dict[Unit, list[Unit]] = {}
        for unit in (each for module in modules for each in module.units):
            if unit.kind != "effect":
                continue
            for node in ast.walk(unit.node):
                if isinstance(node, ast.Call) and last_name(node.func) == "register_blueprint":
                    outer = self.project.origins(unit.module, chain_of(node.func)[:-1])
                    for argument in node.args[:1]:
                        for inner in self.project.origins(unit.module, chain_of(argument)):
                            found.setdefault(inner, []).extend(filter(_is_blueprint, outer))
        return found


def _last_of(reference: Reference) -> str:
    return reference.chain[-1] if reference.chain else (reference.origin or ("", ""))[1] or ""


def _is_blueprint(unit: Unit) -> bool:
    value = getattr(unit.node, "value", None)
    return isinstance(value, ast.Call) and last_name(value.func).endswith("Blueprint")


def _may_register(node: ast.stmt) -> bool:
    return any(isinstance(each, ast.Call) for each in ast.walk(node))


def _simple_statements(node: ast.stmt) -> Iterator[ast.stmt]:
    """The statements in a compound one that act, definitions left out."""
    if isinstance(node, DefinitionNode | ast.Import | ast.ImportFrom | ast.Pass):
        return
    inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
    handlers = getattr(node, "handlers", [])
    inner += [child for handler in handlers for child in handler.body]
    if not inner:
        yield node
    for child in inner:
        yield from _simple_statements(child)


def _keyword(node: ast.expr, name: str) -> str:
    for keyword in getattr(node, "keywords", ()):
        if keyword.arg == name and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""


def _view_name(node: ast.Call) -> str:
    if last_name(node.func) == "as_view" and node.args and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return ""


def definitions_in(node: ast.AST, prefix: str) -> Iterator[tuple[str, DefinitionNode]]:
    """Every function and class in a definition with its dotted name below `prefix`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, DefinitionNode):
            yield f"{prefix}.{child.name}", child
            yield from definitions_in(child, f"{prefix}.{child.name}")
        else:
            yield from definitions_in(child, prefix)


def functions_in(node: ast.AST, prefix: str) -> Iterator[tuple[str, FunctionNode]]:
    """Every function in a definition with its dotted name below `prefix`."""
    for name, child in definitions_in(node, prefix):
        if isinstance(child, FunctionNode):
            yield name, child

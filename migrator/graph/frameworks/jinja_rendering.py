"""What rendering a template reads and calls, at one place: abstract values instead of real ones."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

from jinja2 import nodes

from migrator.graph.frameworks.jinja_templates import Templates
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_ONE_OF = frozenset({"first", "last", "random", "min", "max"})
_SAME = frozenset(
    {
        "list", "sort", "reverse", "unique", "select", "reject", "selectattr", "rejectattr",
        "batch", "slice", "default", "d", "safe", "items", "tojson", "dictsort",
    }
)  # fmt: skip
_WITHOUT_EFFECT = frozenset({"url_for", "_", "gettext", "ngettext", "range", "lipsum", "dict"})
_DEEPEST = 12

Scope = dict[str, tuple[int, ...]]


class Rendering:
    """One evaluation of a template at one place: abstract values instead of real ones."""

    def __init__(self, engine: Engine, site: CallSite, templates: Templates) -> None:
        self.engine = engine
        self.site = site
        self.templates = templates
        self.names: set[str] = set()
        self._macros: dict[str, tuple[nodes.Macro, Scope]] = {}
        self._expanded: set[tuple[Hashable, ...]] = set()
        """Macros with all that they were expanded with: once does what twice does."""
        self._globals: dict[str, tuple[int, ...]] = {}
        self._depth = 0
        self._argument = 0
        self._statements: dict[type, Callable[[Any, Scope], None]] = {
            nodes.Macro: self._macro_statement,
            nodes.If: self._if,
            nodes.For: self._for,
            nodes.Assign: self._assignment,
            nodes.With: self._with,
            nodes.Extends: self._other_template,
            nodes.Include: self._other_template,
            nodes.Import: self._other_template,
            nodes.FromImport: self._other_template,
            nodes.Block: self._block,
            nodes.ScopedEvalContextModifier: self._block,
        }
        self._values: dict[type, Callable[[Any, Scope], tuple[int, ...]]] = {
            nodes.Name: self._name,
            nodes.Getattr: self._getattr,
            nodes.Getitem: self._item,
            nodes.Call: self._call,
            nodes.Filter: self._filter,
            nodes.CondExpr: self._condition,
            nodes.Or: self._either,
            nodes.And: self._either,
            nodes.Const: self._constant,
        }

    def template(self, name: str, scope: Scope) -> None:
        """Evaluate a template with all that it extends, includes and imports."""
        if name in self.names or self._depth > _DEEPEST:
            return
        if self.templates.named(name):
            self.names.add(name)
        for tree in self.templates.trees(name):
            self._depth += 1
            self._body(tree.body, dict(scope))
            self._depth -= 1

    # -- statements -------------------------------------------------------------------------------

    def _body(self, body: Iterable[nodes.Node], scope: Scope) -> None:
        statements = list(body)
        for node in statements:
            if isinstance(node, nodes.Macro):
                self._macros[node.name] = (node, scope)
        for node in statements:
            self._statement(node, scope)

    def _statement(self, node: nodes.Node, scope: Scope) -> None:
        kind = type(node)
        if kind is nodes.Output:
            for part in node.nodes:  # type: ignore[attr-defined]
                self._value(part, scope)
        elif kind in self._statements:
            self._statements[kind](node, scope)
        elif isinstance(node, nodes.Expr):
            self._value(node, scope)
        else:
            self._parts(node, scope)

    def _macro_statement(self, node: nodes.Macro, scope: Scope) -> None:
        """What it does, it does where it is called."""

    def _if(self, node: nodes.If, scope: Scope) -> None:
        self._value(node.test, scope)
        for body in (node.body, node.elif_, node.else_):
            self._body(body, scope)

    def _assignment(self, node: nodes.Assign, scope: Scope) -> None:
        self._assign(node.target, self._value(node.node, scope), scope)

    def _with(self, node: nodes.With, scope: Scope) -> None:
        inner = dict(scope)
        for target, value in zip(node.targets, node.values, strict=False):
            self._assign(target, self._value(value, scope), inner)
        self._body(node.body, inner)

    def _other_template(
        self, node: nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport, scope: Scope
    ) -> None:
        for name in _constants(node.template):
            self.template(name, scope)

    def _block(self, node: nodes.Block | nodes.ScopedEvalContextModifier, scope: Scope) -> None:
        self._body(node.body, scope)

    def _parts(self, node: nodes.Node, scope: Scope) -> None:
        """Any other statement: its expressions, and then its bodies in the same scope."""
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                self._value(child, scope)
            else:
                self._statement(child, scope)

    def _for(self, node: nodes.For, scope: Scope) -> None:
        inner = dict(scope)
        self._assign(node.target, self._elements(self._value(node.iter, scope)), inner)
        if node.test is not None:
            self._value(node.test, inner)
        self._body(node.body, inner)
        self._body(node.else_, scope)

    def _assign(self, target: nodes.Node, values: tuple[int, ...], scope: Scope) -> None:
        if isinstance(target, nodes.Name):
            scope[target.name] = tuple(dict.fromkeys((*scope.get(target.name, ()), *values)))
        elif isinstance(target, nodes.Tuple):
            for index, item in enumerate(target.items):
                found: list[int] = []
                for value in values:
                    found += self.engine.points_to(self.engine.item(self.site, value, index))
                self._assign(item, tuple(found), scope)

    # -- expressions ------------------------------------------------------------------------------

    def _value(self, node: nodes.Node | None, scope: Scope) -> tuple[int, ...]:
        """What an expression may be; evaluating it does what it reads and calls."""
        if node is None:
            return ()
        known = self._values.get(type(node))
        if known is not None:
            return known(node, scope)
        found: tuple[int, ...] = ()
        for child in node.iter_child_nodes():
            if isinstance(child, nodes.Expr):
                found = self._value(child, scope)
            elif isinstance(child, nodes.Keyword | nodes.Pair):
                self._value(child.value, scope)
        return found if isinstance(node, nodes.MarkSafe) else ()

    def _name(self, node: nodes.Name, scope: Scope) -> tuple[int, ...]:
        return scope.get(node.name) or self._global(node.name)

    def _getattr(self, node: nodes.Getattr, scope: Scope) -> tuple[int, ...]:
        return self._attribute(self._value(node.node, scope), node.attr)

    def _condition(self, node: nodes.CondExpr, scope: Scope) -> tuple[int, ...]:
        self._value(node.test, scope)
        return (*self._value(node.expr1, scope), *self._value(node.expr2, scope))

    def _either(self, node: nodes.Or | nodes.And, scope: Scope) -> tuple[int, ...]:
        return (*self._value(node.left, scope), *self._value(node.right, scope))

    def _constant(self, node: nodes.Const, scope: Scope) -> tuple[int, ...]:
        return (self.engine.values.string(node.value),) if isinstance(node.value, str) else ()

    def _global(self, name: str) -> tuple[int, ...]:
        """A name that the call does not give: from a context processor or the framework."""
        known = self._globals.get(name)
        if known is not None:
            return known
        engine = self.engine
        found = list(engine.points_to(engine.slot("jinja", "global", name)))
        for processed in engine.points_to(engine.slot("jinja", "context")):
            found += engine.points_to(engine.item(self.site, processed, name))
        if name in {"g", "request", "session"}:
            found.append(engine.values.opaque(f"flask:{name}"))
        elif name == "current_user":
            found += [
                engine.values.opaque("flask_login:current_user"),
                *engine.points_to(engine.slot("flask_login", "users")),
            ]
        self._globals[name] = tuple(dict.fromkeys(found))
        return self._globals[name]

    def _attribute(self, values: tuple[int, ...], name: str) -> tuple[int, ...]:
        found: list[int] = []
        for value in values:
            if self.engine.values.kind(value) == Kind.CONTAINER:
                found += self.engine.points_to(self.engine.item(self.site, value, name))
            found += self.engine.points_to(self.engine.attribute(self.site, value, name))
        return tuple(dict.fromkeys(found))

    def _item(self, node: nodes.Getitem, scope: Scope) -> tuple[int, ...]:
        values = self._value(node.node, scope)
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        if not isinstance(node.arg, nodes.Const):
            self._value(node.arg, scope)
        found: list[int] = []
        for value in values:
            found += self.engine.points_to(self.engine.item(self.site, value, key))
            if isinstance(key, str):
                found += self.engine.points_to(self.engine.attribute(self.site, value, key))
        return tuple(dict.fromkeys(found))

    def _elements(self, values: tuple[int, ...]) -> tuple[int, ...]:
        found: list[int] = []
        for value in values:
            found += self.engine.points_to(self.engine.iterate(self.site, value))
        return tuple(dict.fromkeys(found))

    def _call(self, node: nodes.Call, scope: Scope) -> tuple[int, ...]:
        arguments = [self._value(each, scope) for each in node.args]
        keywords = {each.key: self._value(each.value, scope) for each in node.kwargs}
        macro = _last_name(node.node)
        if macro in _WITHOUT_EFFECT:
            return ()
        if macro in self._macros:
            self._macro(macro, arguments, keywords)
            return ()
        variables = [self._variable(each) for each in arguments]
        named = {name: self._variable(each) for name, each in keywords.items()}
        found: list[int] = []
        for callee in self._value(node.node, scope):
            result = self.engine.invoke(self.site, callee, variables, named)
            found += self.engine.points_to(result)
        return tuple(dict.fromkeys(found))

    def _variable(self, values: tuple[int, ...]) -> int:
        self._argument += 1
        variable = self.engine.slot("jinja", "argument", self.site.key, self._argument)
        self.engine.add(variable, *values)
        return variable

    def _macro(
        self, name: str, arguments: list[tuple[int, ...]], keywords: dict[str, tuple[int, ...]]
    ) -> None:
        if self._depth > _DEEPEST:
            return
        macro, outer = self._macros[name]
        inner = dict(outer)
        for parameter, values in zip(macro.args, arguments, strict=False):
            inner[parameter.name] = values
        inner.update(keywords)
        expansion = (id(macro), self._depth, *inner.items())
        if expansion in self._expanded:
            return
        self._expanded.add(expansion)
        self._depth += 1
        self._body(macro.body, inner)
        self._depth -= 1

    def _filter(self, node: nodes.Filter, scope: Scope) -> tuple[int, ...]:
        values = self._value(node.node, scope)
        arguments = [self._value(each, scope) for each in node.args]
        engine = self.engine
        functions = engine.points_to(engine.slot("jinja", "filter", node.name))
        if functions:
            variables = [self._variable(each) for each in (values, *arguments)]
            found: list[int] = []
            for function in functions:
                found += engine.points_to(engine.invoke(self.site, function, variables))
            return tuple(found)
        for keyword in node.kwargs:
            if keyword.key == "attribute" and isinstance(keyword.value, nodes.Const):
                elements = self._attribute(self._elements(values), str(keyword.value.value))
                if node.name in {"map", "sum"}:
                    return elements
        if node.name in _ONE_OF:
            return self._elements(values)
        if node.name == "groupby":
            return values
        if node.name in {"default", "d"} and arguments:
            return (*values, *arguments[0])
        return values if node.name in _SAME else ()


def _constants(node: nodes.Node) -> list[str]:
    """The template names that an extends, include or import may mean."""
    if isinstance(node, nodes.Const):
        return [node.value] if isinstance(node.value, str) else [str(each) for each in node.value]
    found = []
    for child in node.find_all(nodes.Const):
        if isinstance(child.value, str):
            found.append(child.value)
    return found


def _last_name(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return str(node.attr)
    return str(node.name) if isinstance(node, nodes.Name) else ""

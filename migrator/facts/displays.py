"""The walk of displays and comprehensions: what is in the containers that are written out."""

from __future__ import annotations

import ast
from typing import Any

from migrator.facts import ir
from migrator.facts.expressions import ExpressionWalker
from migrator.facts.scopes import Env
from migrator.facts.walker import Result


class DisplayWalker(ExpressionWalker):
    """Tuples, lists, sets and dictionaries; the names of comprehensions do not outlive them."""

    def sequence(self, kind: str, nodes: list[ast.expr]) -> Result:
        """A display of a tuple, list or set."""
        elements: list[Any] = []
        for each in nodes:
            if type(each) is ast.Starred:
                elements.append((self.walk(each.value),))
            else:
                result = self.made[id(each)] = self.walk(each)
                elements.append(result)
        target = self.frame.new()
        self.frame.code.append((ir.SEQUENCE, target, kind, tuple(elements)))
        return target

    def tuple_(self, node: ast.Tuple) -> Result:
        return self.sequence("builtins.tuple", node.elts)

    def list_(self, node: ast.List) -> Result:
        return self.sequence("builtins.list", node.elts)

    def set_(self, node: ast.Set) -> Result:
        return self.sequence("builtins.set", node.elts)

    def dict_(self, node: ast.Dict) -> Result:
        pairs: list[tuple[object, Result, Result]] = []
        merged: list[int] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                variable = self.walk(value)
                if variable is not None:
                    merged.append(variable)
            else:
                constant, variable = self.key(key)
                self.made[id(key)] = variable
                self.made[id(value)] = self.walk(value)
                pairs.append((constant, variable, self.made[id(value)]))
        target = self.frame.new()
        self.frame.code.append((ir.MAPPING, target, tuple(pairs), tuple(merged)))
        return target

    def comprehension(
        self, kind: str, generators: list[ast.comprehension], key: ast.expr | None, value: ast.expr
    ) -> Result:
        """A comprehension; its names do not outlive it."""
        saved, flags, overlay = dict(self.frame.env), self.flags, self.overlay
        self.flags |= ir.USED
        for generator in generators:
            iterated = self.walk(generator.iter)
            self.flags |= ir.IN_LOOP
            self.bind_hidden(generator.target, self.iterate(iterated, generator.iter))
            for test in generator.ifs:
                self.walk(test)
                self.flags |= ir.CONDITIONAL
        keyed = self.walk(key) if key is not None else None
        element = self.walk(value)
        self.restore(saved, generators)
        self.flags, self.overlay = flags, overlay
        target = self.frame.new()
        self.frame.code.append((ir.COLLECT, target, kind, element, keyed))
        return target

    def list_comprehension(self, node: ast.ListComp) -> Result:
        return self.comprehension("builtins.list", node.generators, None, node.elt)

    def set_comprehension(self, node: ast.SetComp) -> Result:
        return self.comprehension("builtins.set", node.generators, None, node.elt)

    def generator(self, node: ast.GeneratorExp) -> Result:
        return self.comprehension("builtins.generator", node.generators, None, node.elt)

    def dict_comprehension(self, node: ast.DictComp) -> Result:
        return self.comprehension("builtins.dict", node.generators, node.key, node.value)

    def bind_hidden(self, target: ast.expr, source: Result) -> None:
        """Bind the target of a comprehension, which is no name of class or module."""
        for node in ast.walk(target):
            if type(node) is ast.Name:
                if node is target and source is not None:
                    variable = source
                else:
                    variable = self.frame.new()
                self.frame.env[node.id] = variable
                if self.overlay is not None:
                    self.overlay = {**self.overlay, node.id: variable}
        self.unpack_into(target, source)

    def unpack_into(self, target: ast.expr, source: Result) -> None:
        """Give what `source` holds to the names that `bind_hidden` made."""
        if source is None:
            return
        code = self.frame.code
        if type(target) is ast.Name:
            if self.frame.env[target.id] != source:
                code.append((ir.COPY, self.frame.env[target.id], source))
        elif isinstance(target, ast.Tuple | ast.List):
            variables = [
                self.frame.env[each.id] if type(each) is ast.Name else self.frame.new()
                for each in target.elts
            ]
            self.emit_unpack(source, target.elts, variables)
            for element, variable in zip(target.elts, variables, strict=True):
                inner = element.value if isinstance(element, ast.Starred) else element
                self.unpack_into(inner, variable)

    def restore(self, saved: Env, generators: list[ast.comprehension]) -> None:
        """Forget the names of a comprehension, and keep those that `:=` made in it."""
        env = self.frame.env
        for generator in generators:
            for node in ast.walk(generator.target):
                if type(node) is ast.Name:
                    if node.id in saved:
                        env[node.id] = saved[node.id]
                    else:
                        env.pop(node.id, None)

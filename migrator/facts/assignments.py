"""The walk of assignments: values and what they are given to."""

from __future__ import annotations

import ast

from migrator.facts import ir
from migrator.facts.expressions import BINARY
from migrator.facts.signatures import SignatureWalker
from migrator.facts.walker import Result, last_name, place

_ROWS = (ast.Tuple, ast.List)


class AssignmentWalker(SignatureWalker):
    """Binds names, attributes and items, and notes what class bodies and `__all__` hold."""

    def __init__(self) -> None:
        super().__init__()
        self.exported: list[str] | None = None
        self.type_checking = False
        """The statements at hand stand below `if TYPE_CHECKING`: they say types and never run."""
        self.attributes: dict[str, tuple[int, ir.Annotation | None]] = {}
        """Line and annotation of the names that the class body at hand binds."""

    def assign(self, node: ast.Assign) -> None:
        targets = node.targets
        if self.type_checking and all(
            type(each) is ast.Name and each.id in self.frame.env for each in targets
        ):
            return  # what it is when the program runs was said before
        if len(targets) == 1 and type(node.value) in _ROWS and type(targets[0]) in _ROWS:
            self._assign_parallel(targets[0], node.value, node)
            return
        value = self.walk(node.value)
        for target in targets:
            if self.overlay is not None and type(target) is ast.Name:
                self.note_attribute(target.id, node.lineno, None)
            self.bind(target, value, node)
        if isinstance(targets[0], ast.Name) and targets[0].id == "__all__":
            self._export(node.value)

    def _assign_parallel(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> None:
        """`a, b = b, a` binds one by one, when nothing is starred."""
        targets: list[ast.expr] = target.elts  # type: ignore[attr-defined]
        values: list[ast.expr] = value.elts  # type: ignore[attr-defined]
        starred = any(type(each) is ast.Starred for each in (*targets, *values))
        if starred or len(targets) != len(values):
            self.bind(target, self.walk(value), node)
            return
        results = [self.walk(each) for each in values]
        for each, result in zip(targets, results, strict=True):
            self.bind(each, result, node)

    def _export(self, value: ast.expr) -> None:
        if isinstance(value, ast.List | ast.Tuple):
            names = [e.value for e in value.elts if isinstance(e, ast.Constant)]
            self.exported = (self.exported or []) + [n for n in names if isinstance(n, str)]

    def bind(self, target: ast.expr, value: Result, node: ast.stmt, flags: int = 0) -> None:
        """Give a value to a target of an assignment."""
        kind = type(target)
        if kind is ast.Name:
            self.bind_name(target.id, value)  # type: ignore[attr-defined]
        elif isinstance(target, ast.Attribute):
            base = self.walk(target.value)
            self.stored.add(target.attr)
            holder = last_name(target.value)
            if holder[:1].isupper() or holder in ("cls", "__class__", "klass", "type"):
                self.stored_on_classes.add(target.attr)
            if base is not None:
                self.frame.code.append(
                    (ir.SET_ATTRIBUTE, base, target.attr, value, self.flags | flags, *place(node))
                )
        elif isinstance(target, ast.Subscript):
            base = self.walk(target.value)
            key, variable_of_key = self.key(target.slice)
            if type(target.slice) is ast.Slice and value is not None:
                value = self.iterate(value, target)  # its elements take the place of others
            if base is not None:
                self.frame.code.append(
                    (
                        ir.SET_ITEM,
                        base,
                        key,
                        variable_of_key,
                        value,
                        self.flags | flags,
                        *place(node),
                    )
                )
        elif isinstance(target, ast.Tuple | ast.List):
            inner = [e.value if isinstance(e, ast.Starred) else e for e in target.elts]
            variables = [
                self.write(each.id) if isinstance(each, ast.Name) else self.frame.new()
                for each in inner
            ]
            if value is not None:
                self.emit_unpack(value, target.elts, variables)
            for each, variable in zip(inner, variables, strict=True):
                if not isinstance(each, ast.Name):
                    self.bind(each, variable if value is not None else None, node, flags)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, value, node, flags)

    def annotated_assign(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        given = None if self.type_checking else node.value
        value = self.walk(given) if given is not None else None
        target = node.target
        if isinstance(target, ast.Name):
            if self.overlay is not None:
                self.note_attribute(target.id, node.lineno, annotation)
                self.stored.add(target.id)
            variable = self.bind_name(target.id, value)
            if annotation[1] is not None or annotation[2]:
                declares = self.overlay is not None
                self.frame.code.append((ir.ANNOTATED, variable, annotation, declares))
            if target.id == "__all__" and node.value is not None:
                self._export(node.value)
            return
        typed: Result = None
        if annotation[1] is not None or annotation[2]:
            typed = self.frame.new()
            self.frame.code.append((ir.ANNOTATED, typed, annotation, False))
        if node.value is not None or typed is not None:
            self.bind(target, self.either([value, typed]), node)

    def augmented_assign(self, node: ast.AugAssign) -> None:
        target = node.target
        method = BINARY[type(node.op)].replace("__", "__i", 1)
        if isinstance(target, ast.Name):
            before = self.read(target.id)
            right = self.walk(node.value)
            value = self.operate(method, before, right, node, ir.AUGMENTED)
            self.bind(target, value, node)
            if target.id == "__all__":
                self._export(node.value)
            return
        load = ast.copy_location(_loaded(target), target)
        before_value = self.walk(load)
        right = self.walk(node.value)
        value = self.operate(method, before_value, right, node, ir.AUGMENTED)
        self.bind(target, value, node, ir.AUGMENTED)

    def delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Attribute | ast.Subscript):
                self.bind(target, None, node, ir.DELETES)

    def note_attribute(self, name: str, line: int, annotation: ir.Annotation | None) -> None:
        known = self.attributes.get(name)
        if known is None or annotation is not None:
            self.attributes[name] = (line, annotation)


def _loaded(target: ast.expr) -> ast.expr:
    """The target of an augmented assignment as an expression that is read."""
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(target.value, target.slice, ast.Load())

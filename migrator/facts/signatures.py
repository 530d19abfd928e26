"""The walk of signatures: lambdas, parameters with their defaults, annotations as trees."""

from __future__ import annotations

import ast

from migrator.facts import ir
from migrator.facts.displays import DisplayWalker
from migrator.facts.scopes import Frame
from migrator.facts.walker import UNKNOWN, Result, dotted

_PLAIN_TYPES = frozenset({"int", "str", "bool", "float", "bytes", "None", "Any", "object"})


class SignatureWalker(DisplayWalker):
    """Opens the frames of functions, whose bodies are walked later."""

    def lambda_(self, node: ast.Lambda) -> Result:
        self.lambda_counts[self.prefix] = count = self.lambda_counts.get(self.prefix, 0) + 1
        frame = self.open_function(f"{self.prefix}<lambda{count}>", node.args, node, node.body)
        frame.flags |= ir.LAMBDA
        target = self.frame.new()
        self.frame.code.append((ir.FUNCTION, target, frame.index))
        return target

    def open_function(
        self,
        name: str,
        arguments: ast.arguments,
        node: ast.stmt | ast.expr,
        body: list[ast.stmt] | ast.expr,
    ) -> Frame:
        """The frame of a function whose body is walked later; parameters are walked here."""
        outer = self.frame
        frame = Frame(
            len(self.frames), outer, name, self.class_ if self.overlay is not None else -1
        )
        self.frames.append(frame)
        frame.line, frame.end_line = node.lineno, node.end_lineno or node.lineno
        frame.body = body
        parameters: list[ir.ParameterFacts] = []
        positional = arguments.posonlyargs + arguments.args
        missing = len(positional) - len(arguments.defaults)
        for position, each in enumerate(positional):
            kind = ir.POSITIONAL_ONLY if position < len(arguments.posonlyargs) else ir.POSITIONAL
            default = arguments.defaults[position - missing] if position >= missing else None
            parameters.append(self.parameter(frame, each, kind, default))
        if arguments.vararg is not None:
            parameters.append(self.parameter(frame, arguments.vararg, ir.VAR_POSITIONAL, None))
        for each, each_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            parameters.append(self.parameter(frame, each, ir.KEYWORD, each_default))
        if arguments.kwarg is not None:
            parameters.append(self.parameter(frame, arguments.kwarg, ir.VAR_KEYWORD, None))
        frame.parameters = tuple(parameters)
        return frame

    def parameter(
        self, frame: Frame, node: ast.arg, kind: int, default: ast.expr | None
    ) -> ir.ParameterFacts:
        """A parameter; default and annotation are code of the function around."""
        variable = frame.write(node.arg)
        annotation = self.annotation(node.annotation) if node.annotation is not None else None
        value = self.walk(default) if default is not None else None
        literal = ir.literal(default.value) if isinstance(default, ast.Constant) else UNKNOWN
        given = default is not None
        return ir.ParameterFacts(node.arg, kind, variable, value, given, annotation, literal)

    def annotation(self, node: ast.expr) -> ir.Annotation:
        """An annotation as a tree; strings in it are read as code."""
        kind = type(node)
        if kind is ast.Name:
            name: str = node.id  # type: ignore[attr-defined]
            if name in self.type_parameters:
                return self._bound(name)
            return (name, None if name in _PLAIN_TYPES else self.read(name), ())
        if isinstance(node, ast.Attribute):
            return (dotted(node), self.attribute(node), ())
        if isinstance(node, ast.Subscript):
            text, head, _ = self.annotation(node.value)
            inner = node.slice
            nodes = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if text.rpartition(".")[2] in ("Literal", "Annotated"):
                nodes = nodes[:1] if text.endswith("Annotated") else []
            arguments = tuple(self.annotation(each) for each in nodes)
            return (f"{text}[{', '.join(each[0] for each in arguments)}]", head, arguments)
        if isinstance(node, ast.BinOp):
            sides = (self.annotation(node.left), self.annotation(node.right))
            return (f"{sides[0][0]} | {sides[1][0]}", None, sides)
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                try:
                    return self.annotation(ast.parse(node.value.strip(), mode="eval").body)
                except (SyntaxError, ValueError):
                    return (node.value, None, ())
            return (str(node.value), None, ())
        if isinstance(node, ast.List):
            return ("[]", None, tuple(self.annotation(each) for each in node.elts))
        return ("", None, ())

    def _bound(self, name: str) -> ir.Annotation:
        """A parameter of a type stands for what bounds it, or for one of several."""
        outer, bound = self.type_parameters, self.type_parameters[name]
        if bound is None:
            return (name, None, ())
        self.type_parameters = {**outer, name: None}
        if isinstance(bound, ast.Tuple):
            sides = tuple(self.annotation(each) for each in bound.elts)
            found: ir.Annotation = (" | ".join(each[0] for each in sides), None, sides)
        else:
            found = self.annotation(bound)
        self.type_parameters = outer
        return found

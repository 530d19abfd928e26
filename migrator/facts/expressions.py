"""The walk of expressions: each gives the variable that holds its value, or None."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from migrator.facts import ir, unrolling
from migrator.facts.scopes import Env, Frame, Names

BINARY = {
    ast.Add: "__add__",
    ast.Sub: "__sub__",
    ast.Mult: "__mul__",
    ast.MatMult: "__matmul__",
    ast.Div: "__truediv__",
    ast.FloorDiv: "__floordiv__",
    ast.Mod: "__mod__",
    ast.Pow: "__pow__",
    ast.LShift: "__lshift__",
    ast.RShift: "__rshift__",
    ast.BitAnd: "__and__",
    ast.BitOr: "__or__",
    ast.BitXor: "__xor__",
}
_COMPARED = {
    ast.Eq: "__eq__",
    ast.NotEq: "__ne__",
    ast.Lt: "__lt__",
    ast.LtE: "__le__",
    ast.Gt: "__gt__",
    ast.GtE: "__ge__",
    ast.In: "__contains__",
    ast.NotIn: "__contains__",
}
_UNARY = {ast.USub: "__neg__", ast.UAdd: "__pos__", ast.Invert: "__invert__"}
_PLAIN_TYPES = frozenset({"int", "str", "bool", "float", "bytes", "None", "Any", "object"})
_UNKNOWN = ...
_MAKES = frozenset(
    {
        ir.FUNCTION,
        ir.CLASS,
        ir.SEQUENCE,
        ir.MAPPING,
        ir.COLLECT,
        ir.ATTRIBUTE,
        ir.ITEM,
        ir.SLICE,
        ir.CALL,
        ir.ITERATE,
        ir.ENTER,
        ir.OPERATE,
        ir.FORMAT_TEXT,
        ir.COMPARE,
        ir.RECEIVE,
        ir.DELEGATE,
    }
)
"""Instructions whose target is a variable of its own, made for what they make."""

Result = int | None


class ExpressionWalker:
    """Walks expressions of the current frame; statements are in `walk.py`."""

    def __init__(self) -> None:
        self.names = Names()
        self.module = Frame(0, None, "", -1)
        self.frame = self.module
        self.frames: list[Frame] = [self.module]
        self.overlay: dict[str, int] | None = None
        """The names of the class body that is being walked."""
        self.class_ = -1
        self.prefix = ""
        self.flags = 0
        self.stored: set[str] = set()
        self.stored_on_classes: set[str] = set()
        self.lambda_counts: dict[str, int] = {}
        self.turns = 0
        """How many loops around the code at hand are walked turn by turn."""
        self.fixed: dict[str, object] = {}
        """Names of those loops that are constants in the turn at hand."""
        self.made: dict[int, Result] = {}
        """The elements of displays, by the identity of their nodes, to their variables."""
        self.type_parameters: dict[str, ast.expr | None] = {}
        """Parameters of types (PEP 695) of the definitions at hand, with their bounds."""
        self._walks: dict[type, Callable[[Any], Result]] = {
            ast.Name: self.name,
            ast.Constant: self.constant,
            ast.Attribute: self.attribute,
            ast.Call: self.call,
            ast.BinOp: self.binary,
            ast.BoolOp: self.boolean,
            ast.UnaryOp: self.unary,
            ast.Compare: self.compare,
            ast.JoinedStr: self.joined,
            ast.FormattedValue: self.formatted,
            ast.Subscript: self.subscript,
            ast.IfExp: self.conditional,
            ast.Tuple: self.tuple_,
            ast.List: self.list_,
            ast.Set: self.set_,
            ast.Dict: self.dict_,
            ast.ListComp: self.list_comprehension,
            ast.SetComp: self.set_comprehension,
            ast.GeneratorExp: self.generator,
            ast.DictComp: self.dict_comprehension,
            ast.Lambda: self.lambda_,
            ast.NamedExpr: self.named,
            ast.Await: self.await_,
            ast.Yield: self.yield_,
            ast.YieldFrom: self.yield_from,
            ast.Starred: self.starred,
            ast.Slice: self.slice_,
        }

    # -- names ----------------------------------------------------------------------------------

    def read(self, name: str) -> int:
        """The variable of a name that is read here."""
        overlay = self.overlay
        if overlay is not None:
            known = overlay.get(name)
            if known is not None:
                return known
        frame = self.frame
        if frame.index:
            return frame.read(name)
        if frame.env:  # the variables of comprehensions in the module's own code
            known = frame.env.get(name)
            if known is not None:
                return known
        return ~self.names.index(name)

    def write(self, name: str) -> int:
        """The variable of a name that is bound here."""
        overlay = self.overlay
        if overlay is not None:
            known = overlay.get(name)
            if known is None:
                known = overlay[name] = self.frame.new()
            return known
        frame = self.frame
        if frame.index:
            if name in frame.global_names:
                self.names.bound.add(name)
            return frame.write(name)
        self.names.bound.add(name)
        if self.turns:
            variable = frame.env[name] = frame.new()
            frame.code.append((ir.COPY, ~self.names.index(name), variable))
            return variable
        return ~self.names.index(name)

    def bind_name(self, name: str, value: Result) -> int:
        """Bind a name to a value; gives the name's variable."""
        frame = self.frame
        if value is not None and self.is_new(value):
            overlay = self.overlay
            if overlay is not None:
                if name not in overlay:
                    overlay[name] = frame.named = value
                    return value
            elif frame.index and name not in frame.global_names | frame.nonlocal_names:
                frame.named = value
                return frame.give(name, value)
        variable = self.write(name)
        if value is not None:
            frame.code.append((ir.COPY, variable, value))
        return variable

    def is_new(self, value: int) -> bool:
        """Whether the last instruction made a value that nothing else holds."""
        frame = self.frame
        if not frame.code or value == frame.named:
            return False
        last = frame.code[-1]
        return last[1] == value and last[0] in _MAKES

    # -- expressions ----------------------------------------------------------------------------

    def walk(self, node: ast.expr) -> Result:
        """The variable of an expression's value."""
        return self._walks[type(node)](node)

    def effect_of(self, node: ast.expr) -> None:
        """Walk an expression whose value is not used."""
        self._walks[type(node)](node)

    def name(self, node: ast.Name) -> Result:
        return self.read(node.id)

    def constant(self, node: ast.Constant) -> Result:
        value = node.value
        kind = type(value)
        frame = self.frame
        known = frame.constants.get((kind, value))
        if known is not None:
            return known
        if kind is str or kind is int or kind is bool:
            target = frame.new()
            large = isinstance(value, int) and not -(2**31) < value < 2**31
            frame.code.append((ir.CONSTANT, target, 2**31 if large else value))
        elif kind is float or kind is bytes or kind is complex:
            target = frame.new()
            frame.code.append((ir.TYPE, target, f"builtins.{kind.__name__}"))
        else:
            return None
        frame.constants[(kind, value)] = target
        return target

    def attribute(self, node: ast.Attribute) -> Result:
        base = self.walk(node.value)
        if base is None:
            return None
        frame = self.frame
        target = frame.count
        frame.count = target + 1
        frame.code.append(
            (
                ir.ATTRIBUTE,
                target,
                base,
                node.attr,
                self.flags,
                node.lineno,
                node.col_offset,
                node.end_lineno,
                node.end_col_offset,
            )
        )
        return target

    def call(self, node: ast.Call, flags: int = ir.USED) -> Result:
        walk = self.walk
        callee = walk(node.func)
        arguments: list[Any] = []
        literals: list[tuple[int | str, object]] = []
        for position, argument in enumerate(node.args):
            if type(argument) is ast.Starred:
                arguments.append((walk(argument.value),))
            else:
                arguments.append(walk(argument))
                if type(argument) is ast.Constant:
                    literals.append((position, _literal(argument.value)))
        keywords: list[tuple[str | None, Result]] = []
        for keyword in node.keywords:
            value = keyword.value
            keywords.append((keyword.arg, walk(value)))
            if type(value) is ast.Constant and keyword.arg is not None:
                literals.append((keyword.arg, _literal(value.value)))
        if keywords or literals:
            self._note_stored(node)
        frame = self.frame
        target = frame.count
        frame.count = target + 1
        frame.code.append(
            (
                ir.CALL,
                target,
                callee,
                tuple(arguments),
                tuple(keywords),
                tuple(literals),
                self.flags | flags,
                node.lineno,
                node.col_offset,
                node.end_lineno,
                node.end_col_offset,
            )
        )
        return target

    def _note_stored(self, node: ast.Call) -> None:
        """Attributes that a call may set: keywords of a constructor, `setattr` with a constant."""
        name = dotted(node.func).rpartition(".")[2]
        if name[:1].isupper() or name == "cls":
            self.stored.update(each.arg for each in node.keywords if each.arg is not None)
        elif name == "setattr" and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            self.stored.add(str(node.args[1].value))
            self.stored_on_classes.add(str(node.args[1].value))

    def binary(self, node: ast.BinOp) -> Result:
        left = self.walk(node.left)
        right = self.walk(node.right)
        return self.operate(BINARY[type(node.op)], left, right, node, 0)

    def operate(
        self, method: str, left: Result, right: Result, node: ast.expr | ast.stmt, flags: int
    ) -> Result:
        """An operator between two values, as the method that stands for it."""
        if left is None and right is None:
            return None
        target = self.frame.new()
        self.frame.code.append(
            (ir.OPERATE, target, method, left, right, self.flags | flags, *place(node))
        )
        return target

    def boolean(self, node: ast.BoolOp) -> Result:
        results = [self.walk(node.values[0])]
        saved = self.flags
        self.flags |= ir.CONDITIONAL
        for each in node.values[1:]:
            results.append(self.walk(each))
        self.flags = saved
        return self.either(results)

    def either(self, results: list[Result]) -> Result:
        """A variable that holds what any of several may hold."""
        known = [each for each in results if each is not None]
        if len(known) < 2:
            return known[0] if known else None
        target = self.frame.new()
        for each in known:
            self.frame.code.append((ir.COPY, target, each))
        return target

    def unary(self, node: ast.UnaryOp) -> Result:
        value = node.operand
        if type(value) is ast.Constant:
            if type(node.op) is ast.USub and type(value.value) is int:
                return self.constant(ast.Constant(-value.value))
            return None if type(node.op) is ast.Not else self.walk(value)
        result = self.walk(value)
        return self.compared([result], (_UNARY.get(type(node.op), ""),), node)

    def compare(self, node: ast.Compare) -> Result:
        results = [self.walk(node.left)]
        results.extend(self.walk(each) for each in node.comparators)
        methods = tuple(_COMPARED.get(type(each), "") for each in node.ops)
        return self.compared(results, methods, node) if methods[0] else None

    def compared(self, results: list[Result], methods: tuple[str, ...], node: ast.expr) -> Result:
        """A truth value; frameworks may make expressions of their own out of it."""
        if not any(each is not None for each in results):
            return None
        target = self.frame.new()
        self.frame.code.append(
            (ir.COMPARE, target, tuple(results), methods, self.flags, *place(node))
        )
        return target

    def joined(self, node: ast.JoinedStr) -> Result:
        parts: list[Any] = []
        for each in node.values:
            if type(each) is ast.Constant:
                parts.append(each.value)
            elif type(each) is ast.FormattedValue:
                value = self.walk(each.value)
                parts.append(None if each.format_spec is not None else value)
                if each.format_spec is not None:
                    self.effect_of(each.format_spec)
        target = self.frame.new()
        self.frame.code.append((ir.FORMAT_TEXT, target, tuple(parts)))
        return target

    def formatted(self, node: ast.FormattedValue) -> Result:
        return self.walk(node.value)

    def subscript(self, node: ast.Subscript) -> Result:
        base = self.walk(node.value)
        index = node.slice
        if type(index) is ast.Slice:
            bounds = [self.bound(each) for each in (index.lower, index.upper, index.step)]
            if base is None:
                return None
            target = self.frame.new()
            self.frame.code.append((ir.SLICE, target, base, *bounds))
            return target
        key, variable = self.key(index)
        if base is None:
            return None
        target = self.frame.new()
        self.frame.code.append((ir.ITEM, target, base, key, variable, self.flags, *place(node)))
        return target

    def bound(self, node: ast.expr | None) -> object:
        """One bound of a slice: a constant, None, or unknown."""
        if node is None:
            return None
        key, _ = self.key(node)
        return key if isinstance(key, int) else _UNKNOWN

    def key(self, node: ast.expr) -> tuple[object, Result]:
        """A key as constant, and as variable; the constant is `...` where there is none."""
        if type(node) is ast.Constant and type(node.value) in (str, int, bool):
            return node.value, self.constant(node)
        if (
            type(node) is ast.UnaryOp
            and type(node.op) is ast.USub
            and type(node.operand) is ast.Constant
            and type(node.operand.value) is int
        ):
            return -node.operand.value, None
        return _UNKNOWN, self.walk(node)

    def conditional(self, node: ast.IfExp) -> Result:
        self.effect_of(node.test)
        outcome = unrolling.decided(node.test, self.fixed) if self.turns else None
        if outcome is not None:
            return self.walk(node.body if outcome else node.orelse)
        saved = self.flags
        self.flags |= ir.CONDITIONAL
        results = [self.walk(node.body), self.walk(node.orelse)]
        self.flags = saved
        return self.either(results)

    # -- containers -----------------------------------------------------------------------------

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
                self.effect_of(test)
                self.flags |= ir.CONDITIONAL
        keyed = self.walk(key) if key is not None else None
        element = self.walk(value)
        self.restore(saved, generators)
        self.flags, self.overlay = flags, overlay
        target = self.frame.new()
        self.frame.code.append((ir.COLLECT, target, kind, element, keyed))
        return target

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

    def emit_unpack(self, source: int, elements: list[ast.expr], variables: list[int]) -> None:
        """`a, *b, c = source`."""
        star = next((i for i, e in enumerate(elements) if type(e) is ast.Starred), None)
        if star is None:
            self.frame.code.append((ir.UNPACK, source, tuple(variables), None, ()))
            return
        before, after = tuple(variables[:star]), tuple(variables[star + 1 :])
        self.frame.code.append((ir.UNPACK, source, before, variables[star], after))

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

    def iterate(self, iterated: Result, node: ast.expr) -> Result:
        """The variable of what comes out of an iteration."""
        if iterated is None:
            return None
        target = self.frame.new()
        self.frame.code.append((ir.ITERATE, target, iterated, self.flags, *place(node)))
        return target

    def list_comprehension(self, node: ast.ListComp) -> Result:
        return self.comprehension("builtins.list", node.generators, None, node.elt)

    def set_comprehension(self, node: ast.SetComp) -> Result:
        return self.comprehension("builtins.set", node.generators, None, node.elt)

    def generator(self, node: ast.GeneratorExp) -> Result:
        return self.comprehension("builtins.generator", node.generators, None, node.elt)

    def dict_comprehension(self, node: ast.DictComp) -> Result:
        return self.comprehension("builtins.dict", node.generators, node.key, node.value)

    # -- the rest -------------------------------------------------------------------------------

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
        return ir.ParameterFacts(node.arg, kind, variable, value, default is not None, annotation)

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

    def named(self, node: ast.NamedExpr) -> Result:
        return self.bind_name(node.target.id, self.walk(node.value))

    def await_(self, node: ast.Await) -> Result:
        if type(node.value) is ast.Call:
            return self.call(node.value, ir.USED | ir.AWAITED)
        return self.walk(node.value)

    def yielded(self, node: ast.Yield) -> None:
        """A `yield` that does not look at what is sent."""
        self.frame.flags |= ir.GENERATOR
        if node.value is not None:
            value = self.walk(node.value)
            if value is not None:
                self.frame.code.append((ir.COPY, ir.YIELDED, value))

    def yield_(self, node: ast.Yield) -> Result:
        self.yielded(node)
        target = self.frame.new()
        self.frame.code.append((ir.RECEIVE, target))
        return target

    def yield_from(self, node: ast.YieldFrom) -> Result:
        self.frame.flags |= ir.GENERATOR
        base = self.walk(node.value)
        element = self.iterate(base, node.value)
        if base is None or element is None:
            return None
        self.frame.code.append((ir.COPY, ir.YIELDED, element))
        target = self.frame.new()
        self.frame.code.append((ir.DELEGATE, target, base))
        return target

    def starred(self, node: ast.Starred) -> Result:
        return self.iterate(self.walk(node.value), node.value)

    def slice_(self, node: ast.Slice) -> Result:
        for each in (node.lower, node.upper, node.step):
            if each is not None:
                self.effect_of(each)
        return None


def place(node: ast.expr | ast.stmt) -> tuple[int, int, int, int]:
    """Line, column, end line and end column of a node."""
    return (
        node.lineno,
        node.col_offset,
        node.end_lineno or node.lineno,
        node.end_col_offset or node.col_offset,
    )


def dotted(node: ast.expr) -> str:
    """`a.b.c` of names and attributes; other parts read `?`."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return dotted(node.func)
    return node.id if isinstance(node, ast.Name) else "?"


def _literal(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else str(value)

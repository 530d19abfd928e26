"""Bodies that become calls of another service, and registrations that are taken away.

The forms are those of docs/servicekit.md and no others. Only the bytes of a body or a decorator
change, so everything around stays as it was written.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import takewhile

import libcst as cst
from libcst import MaybeSentinel, matchers

from migrator.generation.pruning import Edit
from migrator.generation.scopes import last_name
from migrator.generation.sliced import Cut
from migrator.generation.source import DefinitionNode, FunctionNode, Module
from migrator.model.errors import Place, Refused
from migrator.model.program import Program

_LINE = 88

_Statement = cst.SimpleStatementLine | cst.BaseCompoundStatement


def cut_body(program: Program, module: Module, cut: Cut) -> list[Edit]:
    """The edits that turn a function into a call: its decorators less, its body replaced."""
    lines = _call_lines(program, cut)
    return [*strip_decorators(module, cut.leaving), replace_body(module, cut.node, lines)]


def idle_body(module: Module, node: FunctionNode, service: str, entry_point: str) -> list[Edit]:
    """The edit that leaves the work of a schedule or process to the service that has it."""
    lines = [f"# {entry_point} runs in the service {service}.", "return"]
    return [replace_body(module, node, lines)]


def replace_body(module: Module, node: FunctionNode, lines: list[str]) -> Edit:
    """The edit that puts `lines` in the place of a function's body; its docstring stays.

    It spans no more than what changes, since others may edit the signature. Raises `Refused` where
    libcst cannot read the function.
    """
    start = module.offset(node.lineno)
    source = module.text[start : module.offset((node.end_lineno or 0) + 1)].decode()
    around = f"if True:{module.newline}" if source[0].isspace() else ""
    try:
        tree = cst.parse_module(around + source)
    except cst.ParserSyntaxError as error:
        raise Refused(
            f"{node.name} cannot be rewritten: {error.message}",
            place=Place(module.file, node.lineno),
            hint="Cut at another function, or write this one without the newest syntax.",
        ) from error
    function = cst.ensure_type(matchers.findall(tree, matchers.FunctionDef())[0], cst.FunctionDef)
    changed = function.with_changes(body=_body(function, lines))
    text = cst.ensure_type(tree.deep_replace(function, changed), cst.Module).code[len(around) :]
    old, new = source.encode(), text.encode()
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    return Edit(start + same, start + len(old), new[same:])


def _body(function: cst.FunctionDef, lines: list[str]) -> cst.IndentedBlock:
    """A block of the docstring and `lines`, indented as the function's is."""
    new = cst.parse_module("\n".join(lines))
    first, *rest = (_flush(each) for each in new.body)
    above = [*new.header, *first.leading_lines]
    old = function.body
    kept: list[cst.BaseStatement] = []
    if function.get_docstring(clean=False) is not None:
        text = cst.ensure_type(matchers.findall(old, matchers.Expr())[0], cst.Expr)
        kept = [cst.SimpleStatementLine([text.with_changes(semicolon=MaybeSentinel.DEFAULT)])]
        if above:
            above.insert(0, cst.EmptyLine(indent=False))
    body = [*kept, first.with_changes(leading_lines=above), *rest]
    if isinstance(old, cst.IndentedBlock):
        return old.with_changes(body=body, footer=[])
    return cst.IndentedBlock(body)


def _flush(statement: _Statement) -> _Statement:
    """A statement without white space in the blank lines above it."""
    above = [each.with_changes(indent=bool(each.comment)) for each in statement.leading_lines]
    return statement.with_changes(leading_lines=above)


def _call_lines(program: Program, cut: Cut) -> list[str]:
    width = _LINE - cut.node.col_offset - 4
    arguments = cut.node.args
    positional = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    if arguments.vararg is not None:
        positional.append(f"*{arguments.vararg.arg}")
    keywords = [f'"{each.arg}": {each.arg}' for each in arguments.kwonlyargs]
    if arguments.kwarg is not None:
        keywords.append(f"**{arguments.kwarg.arg}")
    inner = ", ".join(positional) + ("," if len(positional) == 1 else "")
    given = [f'"{cut.crossing.function}"', f"({inner})", f"{{{', '.join(keywords)}}}"]
    if cut.crossing.remedy == "defer":
        given.append(f"commits={commits(program, cut.crossing.function)}")
        return ["from servicekit.commands import defer", "", *_call("defer", given, width)]
    return ["from servicekit.calls import call", "", *_call("return call", given, width)]


def _call(function: str, arguments: list[str], width: int) -> list[str]:
    """A call on as few lines as fit."""
    joined = ", ".join(arguments)
    if len(function) + len(joined) + 2 <= width:
        return [f"{function}({joined})"]
    if len(joined) + 4 <= width:
        return [f"{function}(", f"    {joined}", ")"]
    return [f"{function}(", *(f"    {each}," for each in arguments), ")"]


def commits(program: Program, name: str) -> bool:
    """Whether a function, with all that it calls, commits."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        function = program.functions.get(waiting.pop())
        if function is None or function.name in seen:
            continue
        seen.add(function.name)
        for event in function.events:
            if event.kind == "commit":
                return True
            if event.kind == "call":
                waiting.append(event.target)
    return False


def strip_decorators(module: Module, decorators: Iterable[ast.expr]) -> list[Edit]:
    """The edits that take decorators away, each with its lines."""
    return [
        Edit(module.offset(each.lineno), module.offset((each.end_lineno or 0) + 1))
        for each in decorators
    ]


def _last(decorator: ast.expr) -> str:
    return last_name(decorator.func if isinstance(decorator, ast.Call) else decorator)


def _own_nodes(function: FunctionNode) -> list[ast.AST]:
    found: list[ast.AST] = []
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, DefinitionNode | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return found

"""Bodies that become calls of another service, and registrations that are taken away.

The forms are those of docs/servicekit.md and no others. Only the bytes of a body or a decorator
change; positions come from `ast`, so everything around stays as it was written.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable

from migrator.generation.names import Project
from migrator.generation.pruning import Edit
from migrator.generation.scopes import last_name
from migrator.generation.slicing import Cut
from migrator.generation.source import DefinitionNode, FunctionNode, Module
from migrator.model.errors import Place, Refused
from migrator.model.program import Function, Program

_LINE = 88


def refusals(project: Project, cut: Cut) -> list[Refused]:
    """Why a function cannot run elsewhere, each with place and what to do; empty when it can."""
    program = project.program
    function = program.functions.get(cut.crossing.function)
    place = Place(cut.unit.module.file, cut.node.lineno)
    name = cut.crossing.function
    reasons: list[tuple[str, str]] = []
    if isinstance(cut.node, ast.AsyncFunctionDef):
        reasons.append(("is asynchronous", "Cut at a function that is not, or merge the services."))
    if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in _own_nodes(cut.node)):
        reasons.append(("is a generator", "Cut at the function that iterates over it."))
    if isinstance(cut.unit.node, FunctionNode) and cut.node is not cut.unit.node:
        reasons.append(("is defined inside a function", f"Cut at {cut.unit.name}."))
    if cut.node.name.startswith("__") and cut.node.name.endswith("__"):
        reasons.append(("is a special method", "Cut at the function that causes the call."))
    if isinstance(cut.unit.node, ast.ClassDef) and not _receiver_travels(program, cut):
        reasons.append(
            (
                f"is a method of {cut.unit.name}, which is no mapped class: it cannot travel",
                "Cut at a function that takes what it needs as arguments.",
            )
        )
    if any(_last(each) in ("setter", "getter", "deleter") for each in cut.node.decorator_list):
        reasons.append(("is a property's setter", "Cut at the function that assigns it."))
    if function is not None:
        if function.context_writes:
            written = ", ".join(function.context_writes)
            reasons.append((f"writes to the request's context ({written})", "Cut below it."))
        reasons.extend(_callbacks(program, function))
    return [
        Refused(f"{name} cannot be called at {cut.crossing.owner}: it {why}", place=place, hint=do)
        for why, do in reasons
    ]


def _callbacks(program: Program, function: Function) -> list[tuple[str, str]]:
    return [
        (
            f"takes a function as `{each.name}`",
            "Cut at a function whose arguments are values or mapped objects.",
        )
        for each in function.parameters
        if any(
            kind in program.functions or kind.rpartition(".")[2] in ("Callable", "function")
            for kind in each.types
        )
    ]


def _receiver_travels(program: Program, cut: Cut) -> bool:
    decorators = {_last(each) for each in cut.node.decorator_list}
    if decorators & {"staticmethod", "classmethod"}:
        return True
    mapped = {each.model for each in program.tables.values() if each.model}
    return cut.unit.name in mapped or bool(mapped & set(program.classes.get(cut.unit.name, ())))


def cut_body(program: Program, module: Module, cut: Cut) -> list[Edit]:
    """The edits that turn a function into a call: its decorators less, its body replaced."""
    lines = _call_lines(program, cut)
    return [*strip_decorators(module, cut.leaving), replace_body(module, cut.node, lines)]


def idle_body(module: Module, node: FunctionNode, service: str, entry_point: str) -> list[Edit]:
    """The edit that leaves the work of a schedule or process to the service that has it."""
    lines = [f"# {entry_point} runs in the service {service}.", "return"]
    return [replace_body(module, node, lines)]


def replace_body(module: Module, node: FunctionNode, lines: list[str]) -> Edit:
    """The edit that puts `lines` in the place of a function's body; its docstring stays."""
    newline = module.newline
    step = _indentation(module, node)
    docstring = ast.get_docstring(node, clean=False) is not None
    if docstring:
        first = (node.body[0].end_lineno or 0) + 1
        lines = ["", *lines] if not lines[0].startswith("from") else lines
    else:
        first = _header_end(module, node) + 1
    text = newline.join(step + line if line else "" for line in lines) + newline
    end = module.offset((node.end_lineno or 0) + 1)
    if first > (node.end_lineno or 0) and not docstring:
        # `def f(): return 1`: the body stands on the line of the signature.
        start = module.offset(node.body[0].lineno, node.body[0].col_offset)
        return Edit(start, end, (newline + text).encode())
    if docstring and first > (node.end_lineno or 0):
        return Edit(end, end, text.encode())
    return Edit(module.offset(first), end, text.encode())


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


def _indentation(module: Module, node: FunctionNode) -> str:
    first = node.body[0]
    if first.lineno > node.lineno:
        line = module.line(first.lineno).decode()
        if line[: first.col_offset].isspace():
            return line[: first.col_offset]
    header = module.line(node.lineno).decode()
    return header[: len(header) - len(header.lstrip())] + "    "


def _header_end(module: Module, node: FunctionNode) -> int:
    """The line on which the signature ends with its colon."""
    source = module.text[module.offset(node.lineno) :]
    depth = 0
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type != tokenize.OP:
            continue
        if token.string in "([{":
            depth += 1
        elif token.string in ")]}":
            depth -= 1
        elif token.string == ":" and depth == 0:
            return node.lineno + token.start[0] - 1
    return node.lineno


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

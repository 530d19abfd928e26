"""Whether a call of a function can cross to another process: as its signature and body allow."""

from __future__ import annotations

from migrator.model.program import Function, Program
from migrator.plan.reach import Reach

_PROPERTIES = ("property", "hybrid_property", "hybrid_method", "expression", "setter", "validates")
_LIVE = ("Query", "Select", "Session", "Connection", "Response", "Request", "FileStorage", "Flask")
_CALLABLE = ("callable", "function", "Callable", "lambda", "method", "type")
_STREAMS = ("generator", "Generator", "Iterator", "AsyncIterator", "AsyncGenerator", "IO")


def obstacle(reach: Reach, key: str) -> str:
    """Why a call of a function cannot be made a remote call, in words; empty: it can be.

    Un-flushed arguments and open transactions depend on the caller and are not looked at here.
    """
    program, function = reach.program, reach.function(key)
    context = reach.context_writes(key)
    if context:
        return "it writes the request's context: " + ", ".join(context)
    return _obstacle_in_kind(program, function) or _obstacle_in_values(program, function)


def _obstacle_in_kind(program: Program, function: Function) -> str:
    name = function.name
    scope, _, own = name.rpartition(".")
    if name in program.modules:
        return "it is the code of a module"
    if scope in program.functions and scope not in program.modules:
        return "it is defined inside of another function"
    if "<" in own:
        return "it has no name of its own"
    if function.is_generator:
        return "it is a generator"
    if function.is_async:
        return "it is asynchronous"
    if own.startswith("__") and own.endswith("__"):
        return "it is called by an operator or a constructor"
    if any(decorator.rpartition(".")[2] in _PROPERTIES for decorator in function.decorators):
        return "it is a property"
    decorated = {d.rpartition(".")[2] for d in function.decorators}
    if scope in program.classes and not decorated & {"staticmethod", "classmethod"}:
        models = {table.model for table in program.tables.values()}
        bases = (scope, *program.classes[scope])
        if not models & set(bases) and not any(
            scope in program.classes.get(model, ()) for model in models
        ):
            return f"it is a method of {scope.rpartition('.')[2]}, whose instances have no key"
    return ""


def _obstacle_in_values(program: Program, function: Function) -> str:
    for parameter in function.parameters:
        for each in parameter.types:
            if each in program.functions or _last(each) in _CALLABLE:
                return f"its parameter {parameter.name} is a callback"
            if _last(each) in _LIVE or _last(each) in _STREAMS:
                return f"its parameter {parameter.name} is a {_last(each)}"
    for each in function.returns:
        if _last(each) in _LIVE or _last(each) in _STREAMS:
            return f"it returns a {_last(each)}"
    return ""


def _last(dotted: str) -> str:
    inner = dotted.rpartition("[")[2].rstrip("]")
    return inner.rpartition(".")[2]

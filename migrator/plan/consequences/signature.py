"""Whether a call of a function can cross to another process: as its signature and body allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from migrator.model.program import Function, Program
from migrator.plan.evidence.reach import Reach

_PROPERTIES = ("property", "hybrid_property", "hybrid_method", "expression", "validates")
_ACCESSORS = ("setter", "getter", "deleter")
_LIVE = ("Query", "Select", "Session", "Connection", "Response", "Request", "FileStorage", "Flask")
_CALLABLE = ("callable", "function", "Callable", "lambda", "method", "type")
_STREAMS = ("generator", "Generator", "Iterator", "AsyncIterator", "AsyncGenerator", "IO")
_VALUES = "cut at a function whose arguments and results are values or mapped objects"


class Hindrance(NamedTuple):
    """Why a call of a function cannot be made a remote call, and what to do."""

    why: str
    do: str


def hindrance(reach: Reach, key: str) -> Hindrance | None:
    """Why a call of a function cannot be made a remote call; None: it can be.

    Un-flushed arguments and open transactions depend on the caller and are not looked at here.
    """
    return _found(reach.program, reach.function(key), reach.context_writes(key))


def hindrance_of(program: Program, name: str) -> Hindrance | None:
    """The same of a function by its name: None where it can be called in one of its variants."""
    variants = [each for each in program.variants.values() if each.name == name]
    found = None
    for function in (program.functions[name], *variants):
        found = _found(program, function, function.context_writes)
        if found is None:
            return None
    return found


def _found(program: Program, function: Function, context: Iterable[str]) -> Hindrance | None:
    if written := ", ".join(context):
        return Hindrance(f"it writes the request's context: {written}", "cut below it")
    return _in_kind(program, function) or _in_values(program, function)


def _in_kind(program: Program, function: Function) -> Hindrance | None:
    name = function.name
    scope, _, own = name.rpartition(".")
    decorated = {decorator.rpartition(".")[2] for decorator in function.decorators}
    if name in program.modules:
        return Hindrance("it is the code of a module", "put it into a function")
    if scope in program.functions and scope not in program.modules:
        return Hindrance("it is defined inside of another function", f"cut at {scope}")
    if "<" in own:
        return Hindrance("it has no name of its own", "give it one")
    if function.is_generator:
        return Hindrance("it is a generator", "cut at the function that iterates over it")
    if function.is_async:
        return Hindrance("it is asynchronous", "cut at a function that is not")
    if own.startswith("__") and own.endswith("__"):
        return Hindrance(
            "it is called by an operator or a constructor", "cut at the function that causes that"
        )
    if decorated.intersection(_ACCESSORS):
        return Hindrance("it is a property's accessor", "cut at the function that uses it")
    if decorated.intersection(_PROPERTIES):
        return Hindrance("it is a property", "cut at the function that uses it")
    if scope in program.classes and not decorated & {"staticmethod", "classmethod"}:
        models = {table.model for table in program.tables.values()}
        bases = (scope, *program.classes[scope])
        if not models & set(bases) and not any(
            scope in program.classes.get(model, ()) for model in models
        ):
            return Hindrance(
                f"it is a method of {scope.rpartition('.')[2]}, whose instances have no key",
                "cut at a function that takes what it needs as arguments",
            )
    return None


def _in_values(program: Program, function: Function) -> Hindrance | None:
    for parameter in function.parameters:
        for each in parameter.types:
            if each in program.functions or _last(each) in _CALLABLE:
                return Hindrance(f"its parameter {parameter.name} is a callback", _VALUES)
            if _last(each) in _LIVE or _last(each) in _STREAMS:
                return Hindrance(f"its parameter {parameter.name} is a {_last(each)}", _VALUES)
    for each in function.returns:
        if _last(each) in _LIVE or _last(each) in _STREAMS:
            return Hindrance(f"it returns a {_last(each)}", _VALUES)
    return None


def _last(dotted: str) -> str:
    inner = dotted.rpartition("[")[2].rstrip("]")
    return inner.rpartition(".")[2]

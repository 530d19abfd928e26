"""What was seen in this process, counted per entry point, until the journal takes it.

Counts are kept without locks: two threads may lose one increment, never the fact itself.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from contextvars import ContextVar, Token
from threading import get_ident
from types import CodeType
from typing import Any, Tuple

_EXACT_CALLS = 512
"""So many calls of a function in one run are counted; then it is switched off."""
_DEEPEST_CALLER = 40
"""So many frames of libraries may stand between a function of the project and its caller."""
_LONGEST_PATH = 80
_KNOWN_TEXTS = 8192
_FAILURES = 20
_BACKGROUND = ("process", "command")
"""Kinds of entry points that may go on for as long as the process, a server's included."""

_getframe = sys._getframe

Call = Tuple[int, int, bool]
"""Caller, callee, and whether no library stands between."""
Execution = Tuple[int, Tuple[int, ...], int, bool]
"""Statement, functions from the outermost in, line in the innermost, whether handled."""
Touch = Tuple[str, str, Tuple[int, ...], int, bool]
"""Read or write, a folder of files, and the rest as of an execution."""


class Entry:
    """What was seen below one entry point and is not written yet, and which arms ever were."""

    def __init__(self, kind: str, name: str, function: str = "") -> None:
        self.kind = kind
        self.name = name
        self.function = function
        self.arms: set[int] = set()
        self.executions: set[Execution] = set()
        self.touches: set[Touch] = set()
        self.clear()

    def clear(self) -> None:
        """Forget what was counted; what is no longer new stays known."""
        self.novel = False
        self.runs = 0
        self.new_arms: list[int] = []
        self.calls: dict[Call, int] = {}
        self.statements: dict[Execution, int] = {}
        self.through: dict[Execution, list[str]] = {}
        self.files: dict[Touch, int] = {}


class Numbers:
    """Gives numbers to the functions and arms of one module that is being rewritten."""

    def __init__(self, file: str, digest: str) -> None:
        self._file = file
        self._digest = digest

    def function(self, qualname: str, line: int, end_line: int) -> int:
        """The number of a new function; an empty `qualname` is the module's own code."""
        number = _new_number()
        functions[number] = Function(self._file, self._digest, qualname, line, end_line)
        hot.setdefault(number, 0)
        return number

    def arm(self, function: int) -> int:
        """The number of a new arm of `function`."""
        number = _new_number()
        functions[function].arms.append(number)
        return number


class Function:
    """A function of the project and the numbers of its arms."""

    def __init__(self, file: str, digest: str, qualname: str, line: int, end_line: int) -> None:
        self.file = file
        self.digest = digest
        self.qualname = qualname
        self.line = line
        self.end_line = end_line
        self.arms: list[int] = []


live: list[int] = []
"""By number: whether entering or taking it is still to be reported."""
functions: dict[int, Function] = {}
hot: dict[int, int] = {}
"""Calls of a function since it was last switched on."""
off: list[int] = []
known: dict[CodeType, int] = {}
boundaries: set[CodeType] = set()
"""Code of libraries below which another entry point, or none, goes on."""
handling: set[CodeType] = set()
"""Code of libraries that calls an entry point's own handler, and no hook."""
entries: dict[tuple[str, str], Entry] = {}
texts: dict[str, int] = {}
"""Statement to its number."""

_raw_texts: dict[str | bytes, int] = {}
_process = Entry("process", "")
entries["process", ""] = _process
_current: ContextVar[Entry] = ContextVar("migrator_entry", default=_process)
prepared: ContextVar[dict[int, Any] | None] = ContextVar("migrator_prepared", default=None)
"""What was waiting to be saved when the entry point began, by its id: a test's own objects."""
saved_along: ContextVar[frozenset[str]] = ContextVar("migrator_saved_along", default=frozenset())
"""Tables that are written right now for nothing but what was prepared."""
unsaved: list[Callable[[], dict[int, Any]]] = []
"""Say what the sessions hold that is not saved yet."""
_running: dict[int, int] = {}
"""Threads that are inside of an entry point: with one, nobody else misses what is switched off."""
_journal: Any = None


def connect(journal: Any) -> None:
    """Where what was seen is written to."""
    global _journal
    _journal = journal


def _new_number() -> int:
    live.append(1)
    return len(live) - 1


# -- what the rewritten modules call ------------------------------------------------------------


def enter(number: int) -> None:
    """A function of the project begins."""
    entry = _current.get()
    frame: Any = _getframe(1)
    code = frame.f_code
    if code not in known:
        known[code] = number
    if number not in entry.arms:
        entry.arms.add(number)
        entry.new_arms.append(number)
        entry.novel = True
    direct = True
    frame = frame.f_back
    for _ in range(_DEEPEST_CALLER):
        if frame is None:
            break
        code = frame.f_code
        caller = known.get(code)
        if caller is not None:
            call = (caller, number, direct)
            calls = entry.calls
            calls[call] = calls.get(call, 0) + 1
            break
        if code in boundaries:
            break
        if code.co_name[:1] != "<" and code.co_flags & 2:
            direct = False
        frame = frame.f_back
    times = hot[number] = hot[number] + 1
    if times > _EXACT_CALLS and len(_running) <= 1:
        _switch_off(number)
        hot[number] = 0


def mark(number: int) -> None:
    """An arm of a branch is taken."""
    entry = _current.get()
    if number not in entry.arms:
        entry.arms.add(number)
        entry.new_arms.append(number)
        entry.novel = True
    if len(_running) <= 1:
        _switch_off(number)


def _switch_off(number: int) -> None:
    live[number] = 0
    off.append(number)


def _switch_on() -> None:
    while off:
        live[off.pop()] = 1


# -- entry points ---------------------------------------------------------------------------------


def current() -> Entry:
    """The entry point that runs here."""
    return _current.get()


def begin(kind: str, name: str, function: str = "") -> Token[Entry]:
    """An entry point begins to run here; give the token to `end`."""
    entry = _entry(kind, name, function)
    entry.runs += 1
    if kind not in _BACKGROUND and _current.get().kind in _BACKGROUND:
        try:
            saved_along.set(frozenset())
            prepared.set({key: each for holds in unsaved for key, each in holds().items()})
        except Exception:
            failed("unsaved")
    return adopt(entry)


def adopt(entry: Entry) -> Token[Entry]:
    """Go on here with an entry point that began elsewhere (a thread, a streamed answer)."""
    if entry.kind not in _BACKGROUND:
        thread = get_ident()
        _running[thread] = _running.get(thread, 0) + 1
    _switch_on()
    return _current.set(entry)


def rename(kind: str, name: str, function: str) -> None:
    """What runs here turns out to be this entry point (a route, once the URL was matched)."""
    entry = _entry(kind, name, function)
    entry.runs += 1
    _current.set(entry)
    _switch_on()


def end(token: Token[Entry]) -> None:
    """What `begin` or `adopt` began is over."""
    entry = _current.get()
    if entry.kind not in _BACKGROUND:
        thread = get_ident()
        depth = _running.get(thread, 1)
        if depth > 1:
            _running[thread] = depth - 1
        else:
            _running.pop(thread, None)
    _switch_on()
    try:
        _current.reset(token)
    except ValueError:
        _current.set(token.old_value if isinstance(token.old_value, Entry) else _process)
    _write(entry.novel)


def _entry(kind: str, name: str, function: str) -> Entry:
    entry = entries.get((kind, name))
    if entry is None:
        entry = entries.setdefault((kind, name), Entry(kind, name, function))
    return entry


# -- statements -----------------------------------------------------------------------------------


def executed(text: Any, backslash: bool = False) -> None:
    """A SQL statement is about to run. Only its text is kept, without any literal in it."""
    try:
        entry = _current.get()
        number = _raw_texts.get(text) if isinstance(text, (str, bytes)) else None
        if number is None:
            number = _number_of(text, backslash)
        way = _way(_getframe(1))
        if (way[0] or way[2]) and not saved_along.get():
            pass
        elif (table := _written(text)) and (
            table in saved_along.get() or (prepared.get() and not way[0] and not way[2])
        ):
            # A test's own objects, which whatever asks first saves along.
            entry, way = _process, ((), 0, False)
        execution = (number, *way)
        statements = entry.statements
        statements[execution] = statements.get(execution, 0) + 1
        if execution not in entry.executions:
            entry.executions.add(execution)
            entry.through[execution] = _packages_below(_getframe(1))
            entry.novel = True
        if entry.kind in _BACKGROUND:
            _write(False)
    except Exception:
        failed("statement")


def _written(text: Any) -> str:
    """The table that a statement writes, if it does."""
    found = _WRITE.match(str(text))
    return found.group(1).translate(_UNQUOTED).rpartition(".")[2] if found else ""


_WRITE = re.compile(r"\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+([^\s(]+)", re.IGNORECASE)
_UNQUOTED = str.maketrans("", "", '"`[]')


def touched(kind: str, folder: str) -> None:
    """A file in a folder of the project is read, or written, by code of the project."""
    entry = _current.get()
    path, line, handled = _way(_getframe(1))
    if not path:
        return
    touch = (kind, folder, path, line, handled)
    entry.files[touch] = entry.files.get(touch, 0) + 1
    if touch not in entry.touches:
        entry.touches.add(touch)
        entry.novel = True


def _way(frame: Any) -> Tuple[Tuple[int, ...], int, bool]:
    """Functions of the project from the outermost in, line in the innermost, whether handled."""
    path: list[int] = []
    line = 0
    handled = False
    while frame is not None:
        code = frame.f_code
        function = known.get(code)
        if function is not None:
            if not path:
                line = frame.f_lineno
            if len(path) < _LONGEST_PATH:
                path.append(function)
        else:
            handled = handled or code in handling
            if code in boundaries:
                break
        frame = frame.f_back
    return tuple(path[::-1]), line, handled


def _packages_below(frame: Any) -> list[str]:
    """The packages between the statement and the innermost function of the project."""
    packages: dict[str, None] = {}
    while frame is not None and frame.f_code not in known and frame.f_code not in boundaries:
        packages[str(frame.f_globals.get("__name__", "")).partition(".")[0]] = None
        frame = frame.f_back
    packages.pop("migrator_probe", None)
    return list(packages)


_LITERAL = re.compile(r"'(?:[^']|'')*'")
_LITERAL_WITH_BACKSLASH = re.compile(r"'(?:[^'\\]|\\.|'')*'", re.DOTALL)
_DOLLAR_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
_PARAMETERS = re.compile(
    r"(\?|%s|%\(\w+\)s|:\w+|\$\d+|'\?')(?:\s*,\s*(?:\?|%s|%\(\w+\)s|:\w+|\$\d+|'\?'))+"
)
_NUMBER = re.compile(r"(?<![\w.$:?\"`\[])\d+(?:\.\d+)?(?![\w.\"`\]])")


def without_literals(text: str, backslash: bool = False) -> str:
    """The statement with each literal as `'?'` or 0, and runs of parameters shortened to one."""
    text = (_LITERAL_WITH_BACKSLASH if backslash else _LITERAL).sub("'?'", text)
    text = _DOLLAR_QUOTED.sub("'?'", text)
    return _PARAMETERS.sub(r"\1", _NUMBER.sub("0", text))


def _number_of(text: Any, backslash: bool) -> int:
    if isinstance(text, bytes):
        plain = text.decode("utf-8", "replace")
    else:
        plain = str(text)
    plain = without_literals(plain, backslash)
    number = texts.get(plain)
    if number is None:
        number = texts.setdefault(plain, len(texts))
    if len(_raw_texts) >= _KNOWN_TEXTS:
        _raw_texts.clear()
    if isinstance(text, (str, bytes)):
        _raw_texts[text] = number
    return number


# -- writing --------------------------------------------------------------------------------------


def _write(novel: bool) -> None:
    if _journal is not None:
        _journal.due(novel)


def forget() -> None:
    """In a forked child: what the parent counted is the parent's."""
    _running.clear()
    for entry in entries.values():
        entry.clear()
        entry.arms = set()
        entry.executions = set()
        entry.touches = set()
    _switch_on()


def failed(what: str) -> None:
    """Our own failure: never the program's; noted so that it is not lost."""
    error = sys.exc_info()[1]
    if os.environ.get("MIGRATOR_OBSERVE_DEBUG"):
        sys.stderr.write("migrator observe: %s: %r\n" % (what, error))
    if _journal is not None and len(_journal.failures) < _FAILURES:
        _journal.failures.append("%s: %s" % (what, type(error).__name__))

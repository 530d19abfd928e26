"""From the bytes of one file to its facts, or to the reason why it has none."""

from __future__ import annotations

import marshal
import sys
import warnings
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from migrator.facts.ir import FORMAT, FileFacts, pack, unpack
from migrator.facts.moves import lines_of
from migrator.facts.syntax import parse
from migrator.facts.version import version_of
from migrator.facts.walk import facts_of
from migrator.model.memory import without_collection

_DEPTH = 12_000
_PYTHON_2 = ("Missing parentheses in call to", "multiple exception types must be parenthesized")


class Outcome(NamedTuple):
    """The facts of one file, or why and in which line there are none."""

    facts: FileFacts | None
    reason: str = ""
    line: int = 0


def key_of(digest: str) -> str:
    """The name under which the facts of a content are cached: content, tool and grammar."""
    return f"{digest}/{FORMAT}/{version_of('facts')}"


def outcome_of(stored: bytes) -> Outcome:
    """What `read_sources` has made of one content."""
    packed, reason, line, _ = marshal.loads(stored)
    return Outcome(unpack(packed) if packed is not None else None, reason, line)


def content_of(stored: bytes) -> bytes:
    """The content itself, of which that was made."""
    return zlib.decompress(marshal.loads(stored)[3])


def read_sources(contents: Sequence[bytes]) -> list[bytes]:
    """For each content, in order, what `outcome_of` reads; never raises for what it contains."""
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(max(depth, _DEPTH))
    try:
        with warnings.catch_warnings(), without_collection():
            warnings.simplefilter("ignore")
            return [_read(each) for each in contents]
    finally:
        sys.setrecursionlimit(depth)


def _read(content: bytes) -> bytes:
    failure = ""
    line = 0
    try:
        tree = parse(content)
        return marshal.dumps((pack(facts_of(tree, lines_of(content))), "", 0, _small(content)))
    except SyntaxError as error:
        failure, line = _syntax_reason(error), error.lineno or 0
    except (RecursionError, MemoryError):
        failure = "nested too deeply"
    except (ValueError, LookupError) as error:
        failure = f"not a Python source: {error}"
    return marshal.dumps((None, failure, line, _small(content)))


def _small(content: bytes) -> bytes:
    return zlib.compress(content, 1)


def _syntax_reason(error: SyntaxError) -> str:
    message = error.msg or "invalid syntax"
    if message.startswith(_PYTHON_2):
        return "Python 2 syntax"
    if "null byte" in message:
        return "contains null bytes"
    if "encoding" in message or "codec" in message:
        return f"encoding: {message}"
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return f"does not parse as Python {version}: {message}"

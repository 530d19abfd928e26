"""From the bytes of one file to its facts, or to the reason why it has none."""

from __future__ import annotations

import hashlib
import marshal
import sys
import warnings
from collections.abc import Sequence

from migrator.facts.ir import FORMAT, pack
from migrator.facts.syntax import parse
from migrator.facts.version import version_of
from migrator.facts.walk import facts_of
from migrator.model.memory import without_collection

_DEPTH = 12_000
_PYTHON_2 = ("Missing parentheses in call to", "multiple exception types must be parenthesized")

Outcome = tuple[bytes, str, int]
"""Marshalled facts, or empty with the reason and line of a failure."""


def key_of(content: bytes) -> str:
    """The name under which the facts of a content are cached: content, tool and grammar."""
    digest = hashlib.blake2b(content, digest_size=16)
    digest.update(f"{FORMAT}/{version_of('facts')}".encode())
    return digest.hexdigest()


def read_sources(contents: Sequence[bytes]) -> list[Outcome]:
    """The outcome for each content, in order; never raises for what a file contains."""
    depth = sys.getrecursionlimit()
    sys.setrecursionlimit(max(depth, _DEPTH))
    try:
        with warnings.catch_warnings(), without_collection():
            warnings.simplefilter("ignore")
            return [_read(each) for each in contents]
    finally:
        sys.setrecursionlimit(depth)


def _read(content: bytes) -> Outcome:
    try:
        tree = parse(content)
        lines = content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
        return marshal.dumps(pack(facts_of(tree, lines))), "", 0
    except SyntaxError as error:
        return b"", _syntax_reason(error), error.lineno or 0
    except (RecursionError, MemoryError):
        return b"", "nested too deeply", 0
    except (ValueError, LookupError) as error:
        return b"", f"not a Python source: {error}", 0


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

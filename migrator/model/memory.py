"""Python's collector of cyclic garbage, kept from walking again and again over what stays."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """A block that makes very many small objects and no garbage worth looking for.

    What it made counts as old afterwards: otherwise the next object would set off a walk over all.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.freeze()
            gc.unfreeze()
            gc.enable()


def leave_at_exit() -> None:
    """Let the operating system take back memory when the program ends, all of it at once."""
    atexit.register(gc.freeze)

"""Signals that end a verb which runs until it is told to stop."""

from __future__ import annotations

import signal
from types import FrameType


def end_by_signals() -> None:
    """Have SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt.

    SIGINT also where it was ignored from the start: a shell does so for what it starts with `&`.
    SIGHUP not where it is ignored, since `nohup` asks for that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""Ends the process groups that are told on standard input once that input ends.

It runs beside migrator, in a session of its own, with the read end of a pipe as standard input.
The pipe ends when migrator does, even by `kill -9`, so that nothing it started outlives it.
Lines: `+GROUP` from now on ours, `-GROUP` no longer. Standard library only, started with -I -S.
"""

from __future__ import annotations

import os
import signal
import sys
import time

GRACE = 3.0


def _signal(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def main() -> None:
    """Keep the list until the input ends, then end what is on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.append(group)
        elif group in groups:
            groups.remove(group)
    groups = [group for group in reversed(groups) if _signal(group, signal.SIGTERM)]
    end = time.monotonic() + GRACE
    while groups and time.monotonic() < end:
        time.sleep(0.05)
        groups = [group for group in groups if _signal(group, 0)]
    for group in groups:
        _signal(group, signal.SIGKILL)


if __name__ == "__main__":
    main()

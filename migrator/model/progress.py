"""Progress as events: the stages emit them, the terminal draws them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Receives what a stage is doing. Every method must be cheap and must never raise."""

    def start(self, task: str, total: int | None = None) -> None:
        """A task begins; `total` is its number of steps if that is known."""

    def advance(self, task: str, steps: int = 1, detail: str = "") -> None:
        """`steps` more steps of `task` are done; `detail` names the thing at hand."""

    def finish(self, task: str, summary: str = "") -> None:
        """`task` is over; `summary` is one line that stays on the screen."""

    def warn(self, message: str) -> None:
        """Something the user should read even though work goes on."""


class Silent:
    """A progress that nobody watches."""

    def start(self, task: str, total: int | None = None) -> None:
        pass

    def advance(self, task: str, steps: int = 1, detail: str = "") -> None:
        pass

    def finish(self, task: str, summary: str = "") -> None:
        pass

    def warn(self, message: str) -> None:
        pass


@contextmanager
def step(progress: Progress, task: str, total: int | None = None) -> Iterator[None]:
    """Start `task`, and finish it when the block ends without an error."""
    progress.start(task, total)
    yield
    progress.finish(task)

"""What the application's traffic can be sent to: the monolith, or its services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from pathlib import Path

from migrator.model.errors import OperationError
from migrator.model.progress import Progress, Silent
from migrator.model.settings import Run
from migrator.operation.environment import Environment
from migrator.operation.process import Processes
from migrator.operation.start_state import monolith_environment
from migrator.operation.suite import SuiteRun, run_suite


class Side(ABC):
    """A side of the comparison, started: a context manager."""

    _task = "Run the tests"

    def __init__(self, root: Path, run: Run, outside_url: str, progress: Progress | None) -> None:
        self.root = root
        """The folder of the monolith's sources, which has the tests."""
        self.run = run
        self.outside_url = outside_url
        """What it takes for its own address."""
        self.ports: dict[str, int] = {}
        """The ports that stand for `{port:NAME}`."""
        self._progress = progress or Silent()
        self._stack = ExitStack()
        self._running: Processes | None = None
        self._environment: Environment | None = None

    @property
    def environment(self) -> Environment:
        """The monolith's environment, in which its tests and companions run."""
        if self._environment is None:
            self._environment = monolith_environment(self.root, self.run, self._progress)
        return self._environment

    @property
    @abstractmethod
    def _tested_in(self) -> Path:
        """The folder for what the tests leave."""

    @abstractmethod
    def stop(self) -> None:
        """Stop all its processes."""

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run_tests(
        self,
        base_url: str = "",
        *,
        variables: dict[str, str] | None = None,
        arguments: str = "",
        folder: Path | None = None,
        again: bool = False,
    ) -> SuiteRun:
        """Run the monolith's tests against this side, or against what stands at `base_url`.

        `again`: its data has what they put into it before.
        """
        if self._running is None:
            raise OperationError("nothing runs that could be tested")
        return run_suite(
            self.root,
            self.run,
            self.environment,
            self._running,
            folder or self._tested_in,
            base_url or self.outside_url,
            self._progress,
            ports=self.ports,
            variables=variables,
            arguments=arguments,
            task=self._task,
            again=again,
        )

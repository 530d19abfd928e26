"""The application's own HTTP tests, run against a base URL."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from migrator.model.errors import ConfigurationError, Place
from migrator.model.progress import Progress, Silent
from migrator.model.settings import Run
from migrator.operation.application import Placeholders, monolith_variables
from migrator.operation.environment import Environment
from migrator.operation.process import Processes, tail

_PYTEST_COUNT = re.compile(
    r"(\d+) (passed|failed|errors?|skipped|xfailed|xpassed|deselected)(?=[, ]|$)"
)
_UNITTEST_RAN = re.compile(r"^Ran (\d+) tests? in ", re.MULTILINE)
_UNITTEST_BAD = re.compile(r"(failures|errors|skipped)=(\d+)")
_FAILED = re.compile(r"^(?:FAILED|ERROR|FAIL:|ERROR:) (.+)$", re.MULTILINE)
_NEWMAN_COUNT = re.compile(r"^\W*assertions\W+(\d+)\W+(\d+)\W*$", re.MULTILINE)
_NEWMAN_FAILED = re.compile(r"^ *\d+\. +\S+ +(\S.*)$")
_NEWMAN_PLACE = re.compile(r'^ +inside "(.*)"')
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What one run of the tests gave."""

    exit_code: int
    seconds: float
    log: Path
    counts: dict[str, int]
    """`passed`, `failed`, `error`, `skipped`... as the runner told; empty when it told nothing."""
    failures: list[str]
    """The failed tests with the runner's one line each."""

    @property
    def passed(self) -> bool:
        """Whether the runner was content."""
        return self.exit_code == 0

    @property
    def total(self) -> int:
        """How many tests were run, skipped ones left out."""
        return sum(n for kind, n in self.counts.items() if kind not in ("skipped", "deselected"))

    def summary(self) -> str:
        """One line of the counts."""
        told = ", ".join(f"{number} {kind}" for kind, number in self.counts.items())
        return told or f"exit code {self.exit_code}"

    def as_load(self) -> str:
        """The same where the data has what the tests put into it before, which they refuse."""
        return load_told(self.total, self.counts.get("passed", 0))


def load_told(total: int, as_before: int) -> str:
    """What came of requests or tests on data that they were asked of before."""
    other = total - as_before
    return f"{total} once more on the same data" + (
        f"; {other} found there what they had left, which is no failure" if other else ""
    )


def require_tests(run: Run) -> None:
    """ConfigurationError where the application has no HTTP tests; it says what to do instead."""
    if not run.test:
        raise ConfigurationError(
            "[tool.migrator.run] has no `test`: there is nothing to compare by",
            place=Place("pyproject.toml"),
            hint="record what is asked of it and ask that again: `migrator record SOURCE -o"
            " FILE.jsonl`, then `migrator verify --replay FILE.jsonl`; or name HTTP tests in"
            " `test`",
        )


def run_suite(
    root: Path,
    run: Run,
    environment: Environment,
    processes: Processes,
    folder: Path,
    base_url: str,
    progress: Progress | None = None,
    *,
    ports: dict[str, int] | None = None,
    variables: dict[str, str] | None = None,
    arguments: str = "",
    task: str = "Run the tests",
    seconds: float = 1800.0,
    again: bool = False,
) -> SuiteRun:
    """Run the tests against `base_url`: the monolith's own, a gateway's or a proxy's.

    `ports` are those that stand for `{port:NAME}`, `variables` and `arguments` are added to what
    the settings say. The log is `folder/tests.log`. Raises ConfigurationError without tests, and
    OperationError at the time limit; failing tests are a result, not an error. `again`: the data
    has what they put into it before.
    """
    require_tests(run)
    progress = progress or Silent()
    data = folder / "tests-data"
    data.mkdir(parents=True, exist_ok=True)
    log = folder / "tests.log"
    given = Placeholders(data=data, base_url=base_url, ports=ports)
    told = {
        # Tests speak to the base URL alone: what they find here is no database of anybody.
        **monolith_variables(root, run, environment, data / "no-database", given),
        **given.fill_all(variables or {}),
        run.base_url: base_url,
    }
    progress.start(task)
    started = time.monotonic()
    code = processes.run(
        "the tests",
        f"{given.fill(run.test)} {arguments}".strip(),
        environment=told,
        folder=root,
        log=log,
        seconds=seconds,
        watch=lambda: progress.advance(task, 0, tail(log, 1)),
    )
    text = log.read_text(encoding="utf-8", errors="replace")
    result = SuiteRun(code, time.monotonic() - started, log, count_tests(text), failed_tests(text))
    progress.finish(task, result.as_load() if again else result.summary())
    return result


def count_tests(output: str) -> dict[str, int]:
    """What pytest, unittest or newman (its assertions) counted, from the summary it printed."""
    output = _COLOUR.sub("", output)
    for line in reversed(output.splitlines()):
        found = _PYTEST_COUNT.findall(line)
        if found:
            return {
                kind.removesuffix("s") if kind == "errors" else kind: int(n) for n, kind in found
            }
    if ran := _UNITTEST_RAN.search(output):
        names = {"failures": "failed", "errors": "error", "skipped": "skipped"}
        counts = Counter({names[kind]: int(n) for kind, n in _UNITTEST_BAD.findall(output)})
        counts["passed"] = int(ran.group(1)) - sum(counts.values())
        return dict(counts)
    if asserted := _NEWMAN_COUNT.search(output):
        total, failed = int(asserted.group(1)), int(asserted.group(2))
        return {"passed": total - failed, **({"failed": failed} if failed else {})}
    return {}


def failed_tests(output: str) -> list[str]:
    """The tests that failed, by name, as pytest, unittest or newman printed them."""
    output = _COLOUR.sub("", output)
    failed = _FAILED.findall(output)
    assertion = ""
    for line in (
        output[match.end() :].splitlines() if (match := _NEWMAN_COUNT.search(output)) else ()
    ):
        if named := _NEWMAN_FAILED.match(line):
            assertion = named.group(1).strip()
        elif assertion and (place := _NEWMAN_PLACE.match(line)):
            failed.append(f"{place.group(1)}: {assertion}")
            assertion = ""
    return failed

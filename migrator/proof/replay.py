"""Recorded traffic asked again, one request after the other, with values of this run's answers."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from migrator.model.progress import Progress
from migrator.operation.suite import load_told
from migrator.proof.binding import Answer
from migrator.proof.exchange import Exchange, stands_for
from migrator.proof.parts import encoded
from migrator.proof.recorded import RecordedTraffic, Step, Value, filled
from migrator.proof.recording import send
from migrator.proof.result import TestRun

_SHOWN = 4
_READ_ONLY = ("GET", "HEAD", "OPTIONS")


def replay(
    traffic: RecordedTraffic,
    upstream: str,
    base_url: str,
    secrets: Mapping[int, str],
    progress: Progress,
    *,
    timeout: float = 60.0,
    writes_apart: bool = False,
    again: bool = False,
) -> tuple[list[Exchange], TestRun]:
    """Ask `upstream` everything, as if it stood at `base_url`; what was asked and answered.

    A secret that is not in `secrets` is made anew: the same text for the same number, of the same
    kind of letters. A step counts as passed when its status is the recorded one. `writes_apart`:
    no two requests that may write lie within one second, so that rows are ordered by their times.
    `again`: `upstream` was asked all of it before, and has the data of then.

    kind of letters. A step counts as passed when its status is the recorded one, or stands for it.
    `writes_apart`: no two requests that may write lie within one second, so that rows are ordered
    by their times.
    """
    task = "Replay the recorded traffic"
    progress.start(task, len(traffic.steps))
    begun = time.monotonic()
    exchanges: list[Exchange] = []
    answers: list[Answer] = []
    failed = []
    for number, step in enumerate(traffic.steps):
        if writes_apart and step.method not in _READ_ONLY:
            _await_next_second()
        exchange, unbound = _request(step, answers, base_url, secrets)
        exchange.ordinal = exchange.place = number
        send(upstream, exchange, timeout)
        answers.append(Answer(exchange, base_url))
        exchanges.append(exchange)
        if not stands_for(step.status, exchange.status):
            lost = f"; not found: {', '.join(unbound[:_SHOWN])}" if unbound else ""
            failed.append(
                f"request {number + 1}, {step.method} {step.target}: answered {exchange.status},"
                f" {step.status} when it was recorded{lost}"
            )
        progress.advance(task)
    passed = len(exchanges) - len(failed)
    as_recorded = f"{passed} of {len(exchanges)} answered with the recorded status"
    progress.finish(task, load_told(len(exchanges), passed) if again else as_recorded)
    return exchanges, TestRun(
        what="recorded requests",
        passed=passed,
        total=len(exchanges),
        failed=failed,
        seconds=time.monotonic() - begun,
    )


def made_secret(number: int) -> str:
    """A text in place of a secret: always the same for a number, with letters of every kind."""
    chosen = random.Random(f"secret {number}")
    letters = [chosen.choice(string.ascii_letters + string.digits) for _ in range(8)]
    return f"Aa1{''.join(letters)}"


def _await_next_second() -> None:
    time.sleep(1.001 - time.time() % 1)


def _request(
    step: Step, answers: list[Answer], base_url: str, secrets: Mapping[int, str]
) -> tuple[Exchange, list[str]]:
    """The step's request with all its values, and the fields that no answer had."""
    unbound: list[str] = []

    def found(name: str) -> str | None:
        value = step.values.get(name)
        if value is None:
            return None
        text = plain(value)
        if text is None:
            unbound.append(f"answer {(value.answer or 0) + 1} {value.field}")
            text = value.otherwise or ""
        return encoded(text, value.encoding)

    def plain(value: Value) -> str | None:
        if value.base_url:
            return base_url
        if value.text is not None:
            return filled(value.text, found)
        if value.secret is not None:
            return secrets.get(value.secret) or made_secret(value.secret)
        if value.answer is None or not 0 <= value.answer < len(answers):
            return None
        return answers[value.answer].take(value)

    headers = [("Host", urlsplit(base_url).netloc)]
    headers += [(name, filled(text, found)) for name, text in step.headers]
    exchange = Exchange(
        ordinal=0,
        method=step.method,
        target=filled(step.target, found),
        request_headers=headers,
        request_body=filled(step.body, found).encode(step.charset, errors="replace"),
        started=time.time(),
    )
    return exchange, unbound

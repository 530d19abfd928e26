"""What a proof tells beside what differs."""

from __future__ import annotations

from migrator.proof.exchange import Exchange
from migrator.proof.verify import server_errors


def test_answers_that_fail_on_the_monolith_are_counted() -> None:
    answered = [
        ("GET", "/a?x=1", 500),
        ("GET", "/a?x=2", 500),
        ("PUT", "/b", 503),
        ("GET", "/", 404),
    ]
    exchanges = [
        Exchange(ordinal=n, method=method, target=target, request_headers=[], status=status)
        for n, (method, target, status) in enumerate(answered)
    ]
    assert server_errors(exchanges) == {"GET /a: 500": 2, "PUT /b: 503": 1}

"""Requests that verify adds to the application's own traffic, since tests seldom ask them."""

from __future__ import annotations

from migrator.proof.exchange import Exchange
from migrator.proof.recording import send

LARGE = 5 * 1024 * 1024
"""Bytes of a large body: above the limits that gateways have by default (NGINX: 1 MiB)."""

UNKNOWN = "/no-such-page/at-all"


def probe_requests(traffic: list[Exchange]) -> list[Exchange]:
    """Unknown paths, wrong methods, HEAD and OPTIONS, and large bodies, made from seen traffic.

    The same traffic gives the same requests. None carries a cookie, so that none gets further
    than the application lets a stranger.
    """
    reads = _paths(traffic, {"GET"})
    writes = _paths(traffic, {"POST", "PUT", "PATCH"})
    made = [_request(method, UNKNOWN) for method in ("GET", "POST", "DELETE")]
    made += [_request("HEAD", path) for path in reads[:5]]
    made += [_request("OPTIONS", path) for path in [*reads[:10], *writes[:10]]]
    made += [_request("DELETE", path) for path in reads[:10]]
    made += [_request("GET", path) for path in writes[:10]]
    made += [_request("POST", path, b"x" * LARGE) for path in writes[:3]]
    return made


def send_all(requests: list[Exchange], upstream: str, timeout: float = 60.0) -> None:
    """Send requests one after the other; each gets its answer filled in."""
    for request in requests:
        send(upstream, request, timeout)


def _paths(traffic: list[Exchange], methods: set[str]) -> list[str]:
    # Sorted, since an outside system may come earlier or later among the requests.
    return sorted({e.path for e in traffic if e.method in methods and e.status < 400})


def _request(method: str, target: str, body: bytes = b"") -> Exchange:
    headers = [("Accept", "*/*")]
    if body:
        headers.append(("Content-Type", "application/octet-stream"))
    return Exchange(
        ordinal=0, method=method, target=target, request_headers=headers, request_body=body
    )

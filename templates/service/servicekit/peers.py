"""HTTP to siblings: pooled keep-alive connections, the credential, and the request id."""

from __future__ import annotations

import json
import os
import threading
from typing import Any, Dict, Optional, Tuple

import urllib3

from servicekit import scope
from servicekit.settings import settings


class Unreachable(Exception):
    """The sibling could not be asked, or answered with an error. `sent`: it may have acted."""

    def __init__(self, why: str, sent: bool, late: bool = False) -> None:
        super().__init__(why)
        self.sent = sent
        self.late = late


_lock = threading.Lock()
_pools: Dict[Tuple[int, str], urllib3.HTTPConnectionPool] = {}


def _pool(base: str) -> urllib3.HTTPConnectionPool:
    """The connections of this process; a forked child must not speak on its parent's sockets."""
    key = (os.getpid(), base)
    found = _pools.get(key)
    if found is None:
        with _lock:
            found = _pools.get(key)
            if found is None:
                found = _pools[key] = urllib3.connection_from_url(base, maxsize=32)
    return found


def ask(
    service: str,
    kind: str,
    method: str,
    path: str,
    body: Optional[Any] = None,
    timeout: float = 5.0,
    stream: bool = False,
) -> urllib3.response.HTTPResponse:
    """The answer of a sibling's `calls` or `feed` process, whatever its status below 500.

    Raises `Unreachable` when there is none, when it comes too late, or when its status is 5xx.
    """
    url = settings().peers.get(service, {}).get(kind)
    if not url:
        raise Unreachable("no address of %s/%s is known" % (service, kind), sent=False)
    headers = {
        "Authorization": "Bearer " + settings().credential,
        "X-Service": settings().name,
        "X-Request-Id": scope.current().request_id,
    }
    data = None
    if body is not None:
        data = json.dumps(body, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    limits = urllib3.Timeout(connect=min(timeout, 0.5), read=max(timeout, 0.001))
    try:
        answer = _request(_pool(url.rstrip("/")), method, path, data, headers, limits, not stream)
    except (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError) as error:
        raise Unreachable(str(error), sent=False) from error
    except urllib3.exceptions.ReadTimeoutError as error:
        raise Unreachable(str(error), sent=True, late=True) from error
    except urllib3.exceptions.HTTPError as error:
        raise Unreachable(str(error), sent=True) from error
    if answer.status >= 500:
        detail = answer.read() if stream else answer.data
        answer.release_conn()
        raise Unreachable("status %d: %r" % (answer.status, detail[:300]), sent=True)
    return answer


def _request(pool, method, path, data, headers, limits, preload):  # type: ignore[no-untyped-def]
    """One request; once more when a kept connection turns out to be closed.

    Everything that is asked of siblings may be repeated: reads, and calls that carry a key.
    """
    options = {"timeout": limits, "preload_content": preload, "headers": headers, "body": data}
    try:
        return pool.urlopen(method, path, retries=False, **options)
    except urllib3.exceptions.ProtocolError:
        return pool.urlopen(method, path, retries=False, **options)


def json_of(answer: urllib3.response.HTTPResponse) -> Any:
    """The JSON body of an answer."""
    return json.loads(answer.data.decode("utf-8"))

"""HTTP to siblings: kept connections, the credential, and the request id."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from typing import Any, Dict, Optional, Tuple
from urllib.parse import urlsplit

import urllib3

from servicekit import scope
from servicekit.settings import settings


class Unreachable(Exception):
    """The sibling could not be asked, or answered with an error. `sent`: it may have acted."""

    def __init__(self, why: str, sent: bool, late: bool = False) -> None:
        super().__init__(why)
        self.sent = sent
        self.late = late


_CONNECT_TIMEOUT = urllib3.exceptions.ConnectTimeoutError
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
    url = _address(service, kind)
    headers = _headers()
    data = None
    if body is not None:
        data = json.dumps(body, separators=(",", ":")).encode()
        headers["Content-Type"] = "application/json"
    limits = urllib3.Timeout(connect=min(timeout, 0.5), read=max(timeout, 0.001))
    options = {"timeout": limits, "preload_content": not stream, "headers": headers, "body": data}
    pool = _pool(url.rstrip("/"))
    try:
        answer = pool.urlopen(method, path, retries=False, **options)
    except urllib3.exceptions.ProtocolError:
        # A kept connection was closed: it was idle, or the sibling ended while it answered. What is
        # asked of siblings may be asked again (reads, and calls with a key), but it may have acted.
        answer = _asked(pool, method, path, options, sent=True)
    except urllib3.exceptions.HTTPError as error:
        raise _classified(error, sent=False) from error
    if answer.status >= 500:
        detail = answer.read() if stream else answer.data
        answer.release_conn()
        raise Unreachable("status %d: %r" % (answer.status, detail[:300]), sent=True)
    return answer


def _address(service: str, kind: str) -> str:
    url = settings().peers.get(service, {}).get(kind)
    if not url:
        raise Unreachable("no address of %s/%s is known" % (service, kind), sent=False)
    return url


def _headers() -> Dict[str, str]:
    return {
        "Authorization": "Bearer " + settings().credential,
        "X-Service": settings().name,
        "X-Request-Id": scope.current().request_id,
    }


class Line:
    """One kept connection to a sibling, for one GET at a time, sent and received separately.

    Requests that are made all the time to several siblings at once cost a tenth of a pool's.
    """

    def __init__(self, service: str, kind: str) -> None:
        self._service, self._kind = service, kind
        self._connection: Optional[http.client.HTTPConnection] = None
        self._fresh = False
        self._asked = ""

    def send(self, path: str, timeout: float) -> None:
        """Send a request. Raises `Unreachable`."""
        self._asked = path
        try:
            if self._connection is not None and self._connection.sock is not None:
                self._fresh = False
                self._connection.sock.settimeout(timeout)
                self._connection.request("GET", path, headers=_headers())
                return
        except (OSError, http.client.HTTPException):
            self.close()
        self._send_anew(path, timeout)

    def receive(self, timeout: float) -> Tuple[int, bytes]:
        """Status and body of the answer to what was sent. Raises `Unreachable`."""
        try:
            return self._receive()
        except socket.timeout as error:
            self.close()
            raise Unreachable("no answer in time", sent=True, late=True) from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if self._fresh:
                raise Unreachable(repr(error), sent=True) from error
        # The kept connection had been closed meanwhile, by a restart or for being idle.
        self._send_anew(self._asked, timeout)
        return self.receive(timeout)

    def close(self) -> None:
        """Give the connection up: an answer that is still to come must not be taken for another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send_anew(self, path: str, timeout: float) -> None:
        url = urlsplit(_address(self._service, self._kind))
        try:
            made = http.client.HTTPConnection(url.hostname or "", url.port, timeout=timeout)
            self._connection, self._fresh = made, True
            made.connect()
            made.request("GET", path, headers=_headers())
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(repr(error), sent=False) from error

    def _receive(self) -> Tuple[int, bytes]:
        assert self._connection is not None
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def _asked(pool: Any, method: str, path: str, options: Dict[str, Any], sent: bool) -> Any:
    try:
        return pool.urlopen(method, path, retries=False, **options)
    except urllib3.exceptions.HTTPError as error:
        raise _classified(error, sent) from error


def _classified(error: Exception, sent: bool) -> Unreachable:
    """`sent`: an attempt before this one may have reached the sibling."""
    if isinstance(error, (urllib3.exceptions.NewConnectionError, _CONNECT_TIMEOUT)):
        return Unreachable(str(error), sent=sent)
    late = isinstance(error, urllib3.exceptions.ReadTimeoutError)
    return Unreachable(str(error), sent=True, late=late)


def json_of(answer: urllib3.response.HTTPResponse) -> Any:
    """The JSON body of an answer."""
    return json.loads(answer.data.decode("utf-8"))

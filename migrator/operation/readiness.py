"""Whether a process that was started serves already."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable

from migrator.operation import ports
from migrator.operation.process import Deadline, Process


def wait_until(
    process: Process, ready: Callable[[], str], seconds: float, what: str = "ready"
) -> None:
    """Wait until `ready` returns an empty text (else it says what is missing).

    OperationError with the log's tail when the process ends first, or does nothing any more when
    the time is over.
    """
    deadline = Deadline(process, seconds)
    pause = 0.02
    while True:
        missing = ready()
        if not missing:
            return
        if not process.running:
            raise process.failure(
                f"{process.name} ended with code {process.exit_code} before it was {what}"
            )
        if deadline.over:
            raise process.failure(
                f"{process.name} was not {what} within {seconds:.0f} seconds: {missing}"
            )
        time.sleep(pause)
        pause = min(pause * 1.3, 0.25)


def answers(port: int, path: str, seconds: float = 2.0, *, status: int = 200) -> str:
    """Empty when `GET path` is answered with `status`; else what came instead."""
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read(2000).decode("utf-8", "replace")
        if response.status == status:
            return ""
        return f"{path} answers {response.status}: {body.strip()}"
    except (OSError, http.client.HTTPException) as error:
        return f"{path} does not answer: {type(error).__name__}"
    finally:
        connection.close()


def refuses_nonsense(port: int, seconds: float = 2.0) -> str:
    """Empty when the server on the port answers a line that is no HTTP, or hangs up.

    A WSGI server does that from a worker that has loaded the application, without calling it: a
    sign of readiness that leaves no trace in the application's data. Before there is a worker
    nobody answers, and where the server dies the connection is reset.
    """
    try:
        with socket.create_connection((ports.HOST, port), timeout=seconds) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            connection.recv(1)
            return ""
    except OSError as error:
        return f"port {port} does not answer: {type(error).__name__}"


def accepts(port: int, seconds: float = 2.0) -> str:
    """Empty when something accepts connections on the port."""
    try:
        socket.create_connection((ports.HOST, port), timeout=seconds).close()
        return ""
    except OSError as error:
        return f"port {port} does not answer: {type(error).__name__}"

"""What a failed request to a sibling says of whether the sibling may have acted."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from servicekit import peers
from servicekit import settings as settings_module
from two_services import Service, free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def port(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port at which the sibling `accounts` is expected, by this very process."""
    found = free_port()
    url = f"http://127.0.0.1:{found}"
    service.environment["SERVICE_PEERS"] = json.dumps({"accounts": {"calls": url, "feed": url}})
    for name, value in service.environment.items():
        if name.startswith("SERVICE_"):
            monkeypatch.setenv(name, value)
    settings_module.settings.cache_clear()
    yield found
    settings_module.settings.cache_clear()


def read_request(connection: socket.socket) -> None:
    """Head and body come in as many parts as they like."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    head, _, body = text.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while len(body) < (int(length[1]) if length else 0):
        body += connection.recv(65536)


def sibling(port: int, *answers: bytes) -> threading.Thread:
    """Reads one request for each answer; then everything is closed, as if it had been killed."""
    listener = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        connection, _ = listener.accept()
        for answer in answers:
            read_request(connection)
            if not answer:
                listener.close()
            connection.sendall(answer)
        connection.close()
        listener.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def call() -> int:
    return int(peers.ask("accounts", "calls", "POST", "/calls/f", {"key": "k"}, 0.5).status)


def line() -> int:
    asked = peers.Line("accounts", "feed")
    asked.send("/feed/head", 0.5)
    return asked.receive(0.5)[0]


@pytest.mark.parametrize("request_once", [call, line])
def test_nobody_listens(port: int, request_once: Callable[[], int]) -> None:
    with pytest.raises(peers.Unreachable) as caught:
        request_once()
    assert (caught.value.sent, caught.value.late) == (False, False)


@pytest.mark.parametrize("request_once", [call, line])
def test_an_answer_that_does_not_come_in_time(port: int, request_once: Callable[[], int]) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    with pytest.raises(peers.Unreachable) as caught:
        request_once()
    assert (caught.value.sent, caught.value.late) == (True, True)
    listener.close()


def test_killed_after_it_was_asked_on_a_kept_connection(port: int) -> None:
    """The second attempt finds nobody, and still the first may have been acted upon."""
    served = sibling(port, OK, b"")
    assert call() == 200
    with pytest.raises(peers.Unreachable) as caught:
        call()
    assert caught.value.sent
    served.join()


def test_a_line_goes_on_after_a_restart(port: int) -> None:
    asked = peers.Line("accounts", "feed")
    for _ in range(2):
        served = sibling(port, OK)
        asked.send("/feed/head", 0.5)
        assert asked.receive(0.5) == (200, b"{}")
        served.join()


def test_an_error_of_the_sibling(port: int) -> None:
    sibling(port, b"HTTP/1.1 500 No\r\nContent-Length: 4\r\n\r\nwhy?")
    with pytest.raises(peers.Unreachable, match="why") as caught:
        call()
    assert caught.value.sent

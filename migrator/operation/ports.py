"""Loopback ports: free ones to take, and who sits on one that is not."""

from __future__ import annotations

import random
import socket
import threading
import time
from pathlib import Path

import psutil

from migrator.model.errors import OperationError

HOST = "127.0.0.1"

_given: set[int] = set()
_lock = threading.Lock()


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port that this process has not given out before.

    It lies below the range that the kernel gives to outgoing connections, so that none of those
    takes it between now and the moment when a server listens.
    """
    low, high = _listening_range()
    with _lock:
        for _ in range(500):
            port = random.randrange(low, high)
            if port not in _given and is_free(port):
                _given.add(port)
                return port
    raise OperationError(
        f"no free port between {low} and {high} on {HOST}", hint="stop servers that are not needed"
    )


def require_free(port: int) -> None:
    """Raise OperationError, naming who uses it, when a port cannot be listened on."""
    if not is_free(port):
        user = _user_of(port)
        raise OperationError(
            f"port {port} is in use" + (f" by {user}" if user else ""),
            hint="stop it, or choose another port with --port",
        )


def wait_free(port: int, seconds: float) -> bool:
    """Wait until nobody listens on the port; whether that came true in time."""
    end = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def _listening_range() -> tuple[int, int]:
    try:
        text = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text()
        low = int(text.split()[0])
    except (OSError, ValueError):
        low = 32768
    return (15000, low) if low >= 20000 else (20000, 32768)


def _user_of(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            address = connection.laddr
            if connection.status == psutil.CONN_LISTEN and address and address.port == port:
                if connection.pid is None:
                    break
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        pass
    return ""

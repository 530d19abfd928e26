"""Live traffic asked of both sides: what the new service answers beside what the old side does.

The gateway copies each GET that changes nothing to us, and does not wait for what we find. We ask
the remainder, the service, and the remainder again: what differs between its own two answers is
noise (Diffy's idea), anything else that differs is a difference. Others write meanwhile: while the
remainder's own answers change, both are asked again.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from migrator.model.private import PRIVATE
from migrator.operation.control import Ask, Route, State, ask
from migrator.operation.routes import Switch
from migrator.proof.comparison import Compared, Noise, compare, noise_between
from migrator.proof.exchange import Exchange
from migrator.proof.history import remember
from migrator.proof.recording import HOP_BY_HOP, send

_WAITING = 200
"""Copies that may wait; those beyond are left out, so that asking never slows the answers."""
_ASKING = 2
_TIMEOUT = 10.0
_TRIES = 4


class MirrorDifference(msgspec.Struct, kw_only=True):
    """A field that the two sides answered differently, with the first time as an example."""

    request: str
    field: str
    remainder: str
    service: str
    count: int = 1


class MirrorReport(msgspec.Struct, kw_only=True):
    """What came of asking both sides."""

    service: str
    remainder: str
    seconds: float = 0.0
    compared: int = 0
    equal: int = 0
    dropped: int = 0
    """Copies that came faster than both sides could be asked."""
    differences: list[MirrorDifference] = []


class Mirror:
    """Compares both sides of a service in transition, in a system that `migrator up` runs."""

    def __init__(self, output: Path, service: str) -> None:
        self._output = output
        self._service = service
        self._copies: queue.Queue[Exchange | None] = queue.Queue(_WAITING)
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], MirrorDifference] = {}
        self._counts: Counter[str] = Counter()

    def run(self, seconds: float | None = None) -> MirrorReport:
        """Compare for so long, or until Ctrl-C. Also written to `OUTPUT/.migrator/mirror.json`.

        Raises OperationError when nothing runs, or the gateway cannot make copies.
        """
        state = ask(self._output, Ask())
        server = _Copies(self)
        receiving = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        asking = [
            threading.Thread(target=self._compare_all, args=(state,), daemon=True)
            for _ in range(_ASKING)
        ]
        for thread in (receiving, *asking):
            thread.start()
        begun = time.monotonic()
        try:
            self._copy_to(f"127.0.0.1:{server.server_port}")
            while seconds is None or time.monotonic() - begun < seconds:
                time.sleep(0.1)
        except KeyboardInterrupt:
            pass
        finally:
            self._copy_to("")
            server.shutdown()
            server.server_close()
            for _ in asking:
                self._copies.put(None)
            for thread in asking:
                thread.join(_TIMEOUT * 3)
        return self._report(state, time.monotonic() - begun)

    def take(self, copy: Exchange) -> None:
        """Compare this request when there is time."""
        try:
            self._copies.put_nowait(copy)
        except queue.Full:
            with self._lock:
                self._counts["dropped"] += 1

    def _copy_to(self, address: str) -> None:
        switch = ask(self._output, Ask()).switches.get(self._service, Switch())
        changed = msgspec.structs.replace(switch, copied_to=address)
        ask(self._output, Route(service=self._service, switch=changed))

    def _compare_all(self, state: State) -> None:
        while (copy := self._copies.get()) is not None:
            old, new = (
                "http://" + state.services[name][0] for name in (state.remainder, self._service)
            )
            found = compare_sides(copy, old, new)
            with self._lock:
                self._counts["compared"] += 1
                self._counts["equal"] += not found.differences
                for each in found.differences:
                    known = self._found.get((each.request, each.field))
                    if known is not None:
                        known.count += 1
                    else:
                        self._found[each.request, each.field] = MirrorDifference(
                            request=each.request,
                            field=each.field,
                            remainder=each.monolith,
                            service=each.services,
                        )

    def _report(self, state: State, seconds: float) -> MirrorReport:
        report = MirrorReport(
            service=self._service,
            remainder=state.remainder,
            seconds=round(seconds, 1),
            compared=self._counts["compared"],
            equal=self._counts["equal"],
            dropped=self._counts["dropped"],
            differences=[self._found[key] for key in sorted(self._found)],
        )
        remember(self._output, self._service, report.compared, report.equal)
        file = self._output / PRIVATE / "mirror.json"
        file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n")
        return report


def compare_sides(copy: Exchange, old: str, new: str) -> Compared:
    """Ask both sides a GET; the service (`new`) may answer as the remainder before or after.

    As long as the remainder's own answers differ, somebody writes what is read here: then what
    differs is only believed when it does so each time.
    """
    noise: set[Noise] = set()
    before = _asked(copy, old)
    for _ in range(_TRIES):
        other, after = _asked(copy, new), _asked(copy, old)
        changed = noise_between([before], [after], "")
        noise |= changed
        found = compare([before], [other], noise, "")
        if found.differences and changed:
            found = compare([after], [other], noise, "")
        if not found.differences or not changed:
            break
        before = after
    return found


def _asked(copy: Exchange, upstream: str) -> Exchange:
    asked = msgspec.structs.replace(copy)
    send(upstream, asked, _TIMEOUT)
    return asked


class _Copies(ThreadingHTTPServer):
    """Takes the gateway's copies and says thank you."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, mirror: Mirror) -> None:
        self.mirror = mirror
        super().__init__(("127.0.0.1", 0), _Copy)


class _Copy(BaseHTTPRequestHandler):
    server: _Copies

    def do_GET(self) -> None:
        left_out = {*HOP_BY_HOP, "content-length", "x-request-id"}
        self.server.mirror.take(
            Exchange(
                ordinal=0,
                method="GET",
                target=self.path,
                request_headers=[
                    (name, value)
                    for name, value in self.headers.items()
                    if name.lower() not in left_out
                ],
            )
        )
        self.send_response_only(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass

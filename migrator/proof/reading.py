"""What can be read at one time, asked again at another: nothing may be lost between the two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from migrator.proof.comparison import Compared, Noise, compare, noise_between, request_shape
from migrator.proof.exchange import Exchange
from migrator.proof.recording import send

_MOST = 200
_TIMES = 3
Asker = tuple[str, tuple[str, ...]]
"""A target, and the cookies and credentials with which it is asked."""


@dataclass(frozen=True)
class Reading:
    """Requests that read, with what they were answered."""

    answers: list[Exchange]
    noise: set[Noise]
    """What varies when they are asked again at once."""

    @classmethod
    def of(cls, traffic: Sequence[Exchange], url: str) -> Reading:
        """Ask `url` what reads in `traffic`, the last of it for each target and each who asked."""
        latest = {
            asker(each): each for each in traffic if each.method == "GET" and each.status < 500
        }
        asked = list(latest.values())[-_MOST:]
        answers = _asked(asked, url)
        noise: set[Noise] = set()
        for _ in range(_TIMES - 1):
            again = _asked(asked, url)
            noise |= noise_between(answers, again, url)
            answers = again
        return cls(answers, noise)

    def compared(self, url: str, noise: set[Noise], base_url: str) -> Compared:
        """Ask `url` the same and compare; `noise` is set aside besides what varied then.

        So is the tag of a file whose content is the same: it holds the path, which is another.
        """
        again = _asked(self.answers, url)
        tags = {
            Noise(request=request_shape(before), field="header.etag")
            for before, after in zip(self.answers, again, strict=True)
            if before.body == after.body
        }
        return compare(self.answers, again, self.noise | noise | tags, base_url)


def asker(exchange: Exchange) -> Asker:
    """What is asked, and by whom."""
    return exchange.target, tuple(
        value
        for name, value in exchange.request_headers
        if name.lower() in ("cookie", "authorization")
    )


def _asked(requests: Sequence[Exchange], url: str) -> list[Exchange]:
    # Several replays are in the traffic, each with places of its own: here each request has one.
    asked = [
        msgspec.structs.replace(each, status=0, headers=[], body=b"", ordinal=number, place=number)
        for number, each in enumerate(requests)
    ]
    for each in asked:
        send(url, each, 60.0)
    return asked

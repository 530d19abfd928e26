"""One request and its answer, as they went over the wire."""

from __future__ import annotations

import msgspec

Headers = list[tuple[str, str]]

NO_ANSWER = 599
"""The status of what was never answered."""
_OF_A_GATEWAY = (502, 503, 504)


class Exchange(msgspec.Struct, kw_only=True):
    """A request with its answer. Bodies are bytes after transfer decoding; times are in seconds."""

    ordinal: int
    method: str
    target: str
    """Path and query, as sent."""
    request_headers: Headers = []
    request_body: bytes = b""
    status: int = 0
    headers: Headers = []
    body: bytes = b""
    started: float = 0.0
    elapsed: float = 0.0
    place: int | None = None
    """Of a replay: the step that it is, by which two runs are aligned."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def content_type(self) -> str:
        """The answer's media type in lower case, without parameters."""
        given = next((v for k, v in self.headers if k.lower() == "content-type"), "")
        return given.partition(";")[0].strip().lower()


def stands_for(status: int, other: int) -> bool:
    """Whether one status says what another does: where the monolith breaks off, a gateway answers.

    So it is with gunicorn, say, where an application lets an `OSError` out.
    """
    return status == other or (status == NO_ANSWER and other in _OF_A_GATEWAY)

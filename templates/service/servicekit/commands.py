"""Deferred commands: what a cut function's body does when nobody in the request uses its effect.

defer("package.module.function", (positional, ...), {"keyword": ...}, commits=True)
"""

from __future__ import annotations

import json
from typing import Any, Dict, Mapping, Optional, Sequence

from sqlalchemy import text

from servicekit import frameworks, scope, sessions
from servicekit.entities import Entities
from servicekit.settings import settings
from servicekit.sqlite import of_thread
from servicekit.values import Codec

_INSERT = "INSERT OR IGNORE INTO _commands(key, owner, body) VALUES (:key, :owner, :body)"


def defer(
    function: str,
    args: Sequence[Any] = (),
    kwargs: Optional[Mapping[str, Any]] = None,
    commits: bool = False,
) -> None:
    """Have `function` run at its owner later, exactly once, if the caller's transaction commits.

    `commits`: the function would have committed the caller's session, so this does.
    """
    outgoing = settings().part("calls")[function]
    # The command runs later: it must find its entities as they are now.
    codec = Codec(Entities(full=True))
    item = {
        "args": [codec.encode(a, "%s: argument %d" % (function, i)) for i, a in enumerate(args)],
        "kwargs": {
            k: codec.encode(v, "%s: argument %s" % (function, k)) for k, v in (kwargs or {}).items()
        },
    }
    context = frameworks.glue().capture(outgoing.get("context", []), codec)
    session = sessions.current()
    write(session, outgoing["owner"], function, {"items": [item], "context": context})
    if commits and session is not None:
        session.commit()


def write(session: Any, owner: str, function: str, body: Dict[str, Any]) -> None:
    """Write a command in the transaction of a session, or in one of its own without a session."""
    unit = scope.current()
    body.update(function=function, request_id=unit.request_id)
    row = {"key": unit.key(function), "owner": owner, "body": json.dumps(body)}
    if session is None:
        of_thread(settings().file("service.db")).execute(_INSERT, row)
    else:
        session.connection().execute(text(_INSERT), row)

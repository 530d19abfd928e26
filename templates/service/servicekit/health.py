"""Whether the process lives, and whether the service is what its manifest and migrations say."""

from __future__ import annotations

import json
import os
import sqlite3
from typing import List, Optional, Tuple

from servicekit import metrics, migrate, schema, triggers
from servicekit.settings import settings
from servicekit.sqlite import of_thread

Page = Tuple[int, str, bytes]


def page(path: str) -> Optional[Page]:
    """Status, content type and body of one of `/_service/...`; None for any other path."""
    if path == "/_service/live":
        return _json(200, {"live": True, "service": settings().name})
    if path == "/_service/ready":
        reasons = unready()
        return _json(503 if reasons else 200, {"ready": not reasons, "reasons": reasons})
    if path == "/_service/metrics":
        return 200, metrics.CONTENT_TYPE, metrics.page()
    return None


def _json(status: int, body: object) -> Page:
    return status, "application/json", json.dumps(body).encode()


def unready() -> List[str]:
    """Why the service must not get requests; empty when it may."""
    reasons: List[str] = []
    for name, check in (("service.db", _service), ("replicas.db", _replicas)):
        path = settings().file(name)
        if not os.path.exists(path):
            reasons.append("%s is missing; run python -m servicekit.migrate" % name)
            continue
        try:
            reasons += check(of_thread(path))
        except (sqlite3.Error, migrate.MigrationError) as error:
            reasons.append("%s cannot be used: %s" % (name, error))
    return reasons


def _service(connection: sqlite3.Connection) -> List[str]:
    own = settings()
    reasons = []
    wanted = migrate.expected_outbox(own, connection)
    present = migrate.present_triggers(connection, triggers.OUTBOX_PREFIX)
    for name in sorted(wanted):
        if present.get(name) != wanted[name]:
            reasons.append("outbox trigger %s is missing or altered" % name)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    for table in sorted(tables & set(own.part("replicas"))):
        reasons.append("table %s in service.db shadows a replica" % table)
    for table in sorted(set(own.part("tables")) - tables):
        reasons.append("owned table %s is missing" % table)
    applied = dict(connection.execute("SELECT name, digest FROM _service_migrations"))
    for path in migrate.scripts(own):
        name = os.path.basename(path)
        if name not in applied:
            reasons.append("migration %s is not applied" % name)
        elif applied[name] != migrate.digest_of(path):
            reasons.append("migration %s was changed after it was applied" % name)
    recorded = connection.execute("SELECT schema FROM _feed").fetchone()
    if recorded is None or recorded[0] != schema.fingerprint(connection):
        reasons.append("the schema of service.db differs from what its migrations made")
    return reasons


def _replicas(connection: sqlite3.Connection) -> List[str]:
    own = settings()
    reasons = []
    present = migrate.present_triggers(connection, triggers.GUARD_PREFIX)
    for table, replica in sorted(own.part("replicas").items()):
        if not triggers.columns_of(connection, table):
            reasons.append("replica %s is missing" % table)
        for name, sql in triggers.guard_triggers(table, replica["owner"]).items():
            if present.get(name) != sql:
                reasons.append("guard trigger %s is missing or altered" % name)
    held = {row[0] for row in connection.execute("SELECT owner FROM _cursors")}
    for owner in own.owners():
        if owner not in held:
            reasons.append("no snapshot of %s has been taken yet" % owner)
    return reasons

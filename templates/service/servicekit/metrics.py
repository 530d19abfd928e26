"""What a service counts, in Prometheus' text format."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

requests = Counter(
    "servicekit_requests_total", "Requests answered", ["method", "endpoint", "status"]
)
request_seconds = Histogram(
    "servicekit_request_seconds", "Time to answer a request", ["method", "endpoint"]
)
catch_ups = Counter("servicekit_catch_ups_total", "Round trips to a feed", ["owner", "outcome"])
events_applied = Counter("servicekit_events_applied_total", "Events applied", ["owner"])
snapshots = Counter("servicekit_snapshots_total", "Snapshots taken", ["owner"])
replica_age = Gauge(
    "servicekit_replica_age_seconds", "Since replicas of an owner were last current", ["owner"]
)
violations = Counter(
    "servicekit_ownership_violations_total", "Refused writes to replicas", ["table", "owner"]
)
calls = Counter("servicekit_calls_total", "Crossing calls made", ["function", "outcome"])
call_seconds = Histogram("servicekit_call_seconds", "Time of a crossing call", ["function"])
served = Counter("servicekit_served_calls_total", "Crossing calls served", ["function", "outcome"])
commands = Counter("servicekit_commands_total", "Deferred commands delivered", ["owner"])
waiting_commands = Gauge("servicekit_commands_waiting", "Deferred commands not yet delivered")


def page() -> bytes:
    """All metrics of this process."""
    return generate_latest()

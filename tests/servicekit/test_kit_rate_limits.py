"""Flask-Limiter, whose counts in the process all processes of the service share."""

from __future__ import annotations

import pytest
from two_services import Service

LIMITED = """
import sys
import flask
from flask_limiter import Limiter
from servicekit.rate_limits import shared_limiter
app = flask.Flask("mill")
limiter = shared_limiter("mill.limiter", Limiter)(
    lambda: flask.request.args["who"], storage_uri=sys.argv[2], strategy=sys.argv[1]
)
limiter.init_app(app)
@app.get("/grind")
@limiter.limit("3/hour")
def grind():
    return "flour"
client = app.test_client()
print([client.get("/grind?who=anna").status_code for _ in range(2)], isinstance(limiter, Limiter))
print(client.get("/grind?who=bert").status_code)
"""


@pytest.mark.parametrize("strategy", ["fixed-window", "moving-window"])
def test_all_processes_count_as_one(service: Service, strategy: str) -> None:
    first = service.run("-c", LIMITED, strategy, "memory://")
    assert first.stdout == "[200, 200] True\n200\n", first.stderr
    second = service.run("-c", LIMITED, strategy, "memory://")
    assert second.stdout == "[200, 429] True\n200\n", second.stderr


def test_a_storage_elsewhere_is_left_alone(service: Service) -> None:
    done = service.run("-c", LIMITED, "fixed-window", "nowhere://")
    assert "unknown storage scheme" in done.stderr

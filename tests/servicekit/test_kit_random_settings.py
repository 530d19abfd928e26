"""A key that each process draws for itself is one key in all processes of a system."""

from __future__ import annotations

import json

from two_services import Service

APPLICATION = """
import os, secrets
from flask import Flask

app = Flask(__name__)
app.secret_key = os.urandom(24)
app.config.update(TOKENS=secrets.token_hex(8), OTHER=os.urandom(24))
"""
ASK = """
from servicekit import flask
found = flask.load("drawn:app").app.config
print(found["SECRET_KEY"].hex(), found["TOKENS"], found["OTHER"].hex())
"""


def test_what_is_drawn_at_each_start_is_the_same_in_every_process(service: Service) -> None:
    (service.folder / "src" / "drawn.py").write_text(APPLICATION)
    manifest = service.folder / "service.json"
    told = json.loads(manifest.read_text()) | {"random_settings": ["SECRET_KEY", "TOKENS"]}
    manifest.write_text(json.dumps(told))
    keys = [service.run("-c", ASK).stdout.split() for _ in range(2)]
    service.environment["SERVICE_CREDENTIAL"] = "of another system"
    keys.append(service.run("-c", ASK).stdout.split())
    secret, tokens, other = zip(*keys, strict=True)
    assert secret[0] == secret[1] != secret[2]
    assert tokens[0] == tokens[1] != tokens[2]
    assert len({*secret, *tokens}) == 4
    assert len(set(other)) == 3

"""A page of a package that describes the whole API goes on doing so in one service."""

from __future__ import annotations

import json

from two_services import Service

DESCRIBED = {"openapi": "3.1.0", "servers": [{"url": "http://description.invalid/"}], "paths": {}}
APPLICATION = """
from flask import Flask, jsonify

app = Flask(__name__)

@app.route("/api.json", endpoint="api.spec")
def spec():
    return jsonify(openapi="3.1.0", paths={"of": "this service alone"})
"""
ASK = """
from servicekit import flask
app = flask.load("described:app").app
answer = app.test_client().get("/api.json", base_url="https://shop.example")
print(answer.get_data(as_text=True))
"""


def test_the_whole_is_described_under_the_address_that_was_asked(service: Service) -> None:
    (service.folder / "src" / "described.py").write_text(APPLICATION)
    (service.folder / "api.json").write_text(json.dumps(DESCRIBED))
    manifest = service.folder / "service.json"
    told = {**json.loads(manifest.read_text()), "descriptions": {"api.spec": "api.json"}}
    manifest.write_text(json.dumps(told))
    done = service.run("-c", ASK)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said == {**DESCRIBED, "servers": [{"url": "https://shop.example/"}]}

"""What waits for the first request of a process is done in a request of nobody, on both sides."""

from __future__ import annotations

import json

import pytest
from two_services import ROOT, Service

APPLICATION = """
import flask

def try_trigger_before_first_request_functions(self):
    if not self._got_first_request:
        for each in self.before_first_request_funcs:
            each()
        self.begun = True

# As Flask had it until 2.3.
flask.Flask.before_first_request_funcs = ()
flask.Flask._got_first_request = property(lambda self: hasattr(self, "begun"), lambda *_: None)
flask.Flask.try_trigger_before_first_request_functions = try_trigger_before_first_request_functions

app = flask.Flask(__name__)
app.secret_key = "of the test"
done = []

def welcome():
    if flask.request.args.get("fail"):
        raise ValueError("not yet")
    done.append(flask.request.cookies.get("session", "nobody"))
    flask.session["lang"] = "en"

app.before_first_request_funcs = [welcome]

@app.post("/")
def page():
    app.try_trigger_before_first_request_functions()
    return {"done": done, "lang": flask.session.get("lang", ""), "body": flask.request.form["it"]}
"""
AS_SERVICE = """
import json
from servicekit import wsgi
web = wsgi.Web(__import__("servicekit.flask").flask.load("older:app"))
from older import app
app.wsgi_app, serve = web, app.wsgi_app
web._application.wsgi = serve
"""
AS_MONOLITH = """
import json
from older import app
conf = {}
exec(open("%s").read(), conf)
conf["post_worker_init"](None)
"""
ASK = """
client = app.test_client()
client.set_cookie("session", "of somebody")
answers = [client.post(path, data={"it": path}) for path in ("/?fail=1", "/", "/?again=1")]
print(json.dumps([[each.status_code, each.json, "Set-Cookie" in each.headers] for each in answers]))
"""


@pytest.mark.parametrize(
    "served", [AS_SERVICE, AS_MONOLITH % (ROOT / "templates" / "monolith" / "gunicorn.conf.py")]
)
def test_the_first_request_of_a_process_is_no_client_s(service: Service, served: str) -> None:
    (service.folder / "src" / "older.py").write_text(APPLICATION)
    service.run("-m", "servicekit.migrate")
    failed, first, second = json.loads(service.run("-c", served + ASK).stdout)
    assert failed[0] == 500, "what fails is seen, as it always was"
    assert first[1] == {"done": ["nobody"], "lang": "", "body": "/"}
    assert second[1]["done"] == ["nobody"]
    assert not first[2], "no cookie"

"""Traffic that was recorded once is asked again, of an application that gives other values."""

import base64
import itertools
import json
import re
import secrets
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode

import pytest

from migrator.model.errors import ConfigurationError
from migrator.model.progress import Silent
from migrator.proof.binding import recorded_steps
from migrator.proof.comparison import compare, noise_between
from migrator.proof.exchange import Exchange
from migrator.proof.record import record_running
from migrator.proof.recorded import FORMAT, Header, RecordedTraffic, load, load_secrets, save
from migrator.proof.replay import made_secret, replay
from migrator.proof.traffic import read_replay

BASE = "http://127.0.0.1:1"


class Guestbook(BaseHTTPRequestHandler):
    """Accounts, sessions, a form with a token, and notes with numbers: all new in each life."""

    def do_GET(self):
        if self.path == "/note":
            self.server.token = secrets.token_urlsafe(24)
            self.reply(200, f"<form><input name='csrf' value='{self.server.token}'></form>")
        elif self.path == "/me":
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self.reply(200 if token == self.server.key else 401, "me")
        elif found := re.fullmatch(r"/notes/(\d+)", self.path):
            self.reply(200 if found[1] in self.server.notes else 404, "<p>note</p>")
        else:
            self.reply(404, "")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/login":
            known = self.server.passwords.setdefault("ann", json.loads(body)["password"])
            if known != json.loads(body)["password"]:
                return self.reply(403, "")
            self.server.key = secrets.token_hex(20)
            self.server.session = secrets.token_hex(8)
            cookie = ("Set-Cookie", f"sid={self.server.session}; Path=/")
            kind = ("Content-Type", "application/json")
            return self.reply(200, json.dumps({"key": self.server.key}), cookie, kind)
        given = {name: values[0] for name, values in parse_qs(body).items()}
        mine = self.headers.get("Cookie") == f"sid={self.server.session}"
        if not mine or given.get("csrf") != self.server.token:
            return self.reply(400, "")
        number = str(next(self.server.numbers))
        self.server.notes[number] = given["text"]
        return self.reply(303, "", ("Location", f"/notes/{number}"))

    def reply(self, status, text, *headers):
        self.send_response(status)
        for name, value in headers or [("Content-Type", "text/html")]:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *arguments):
        pass


@pytest.fixture
def guestbook():
    """Starts one more life of the application; its address and its server."""
    started = []

    def start(first_number):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Guestbook)
        server.passwords, server.notes, server.numbers = {}, {}, itertools.count(first_number)
        server.token = server.session = server.key = ""
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}", server

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def visit(url):
    """What a person does: sign in, write a note through the form, look at it."""
    opener = urllib.request.build_opener(NoRedirect)

    def ask(path, data=None, **headers):
        try:
            return opener.open(urllib.request.Request(url + path, data, headers), timeout=10)
        except urllib.error.HTTPError as error:
            return error

    login = json.dumps({"name": "ann", "password": "correct horse"}).encode()
    answer = ask("/login", login, **{"Content-Type": "application/json"})
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    key = json.loads(answer.read())["key"]
    ask("/me", Authorization=f"Bearer {key}")
    for text in ("first", "second"):
        token = re.search("value='([^']*)'", ask("/note").read().decode())[1]
        form = urlencode({"csrf": token, "text": text}).encode()
        kind = "application/x-www-form-urlencoded"
        made = ask("/note", form, Cookie=cookie, **{"Content-Type": kind})
        ask(made.headers["Location"])


class Told(Silent):
    def __init__(self, warnings: list[str]) -> None:
        self.warnings = warnings

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def finish(self, task: str, result: str = "") -> None:
        self.finished = result


def test_values_of_the_next_run_take_the_place_of_the_recorded_ones(guestbook, tmp_path):
    url, server = guestbook(41)
    file = tmp_path / "traffic.jsonl"
    recorded = record_running(url, file, visit, secrets=tmp_path / "secrets.json")
    assert [step.status for step in recorded.traffic.steps] == [200, 200, *[200, 303, 200] * 2]
    written = file.read_text()
    for secret in ("correct horse", "correct+horse", server.key, server.session, server.token):
        assert secret not in written
    assert load_secrets(tmp_path / "secrets.json") == {1: "correct horse"}
    assert (tmp_path / "secrets.json").stat().st_mode & 0o077 == 0

    other, again = guestbook(7)
    exchanges, tests = replay(load(file), other, BASE, {}, Silent())
    assert (tests.passed, tests.total, tests.failed) == (8, 8, [])
    assert again.notes == {"7": "first", "8": "second"}
    assert again.passwords == {"ann": made_secret(1)}
    assert [each.target for each in exchanges][4::3] == ["/notes/7", "/notes/8"]

    told: list[str] = []
    read_replay(file, tmp_path / "secrets.json", Told(told))
    assert told == []
    read_replay(file, None, Told(told))
    assert "made up for secret 1 (request 1, POST /login)" in told[0]

    given, third = guestbook(41)
    replay(load(file), given, BASE, {1: "correct horse"}, Silent())
    assert third.passwords == {"ann": "correct horse"}


def test_what_is_refused_since_it_was_asked_before_is_told_as_load(guestbook, tmp_path):
    url, _ = guestbook(1)
    traffic = record_running(url, tmp_path / "traffic.jsonl", visit).traffic
    told, other = Told([]), guestbook(7)[0]
    replay(traffic, other, BASE, {1: "one"}, told)
    assert told.finished == "8 of 8 answered with the recorded status"
    replay(traffic, other, BASE, {1: "one"}, told, again=True)
    assert told.finished == "8 once more on the same data"
    _, tests = replay(traffic, other, BASE, {1: "another"}, told, again=True)
    refused = 8 - tests.passed
    assert refused and told.finished == (
        f"8 once more on the same data; {refused} found there what they had left,"
        " which is no failure"
    )


def test_two_replays_are_compared_step_by_step(guestbook, tmp_path):
    url, _ = guestbook(1)
    traffic = record_running(url, tmp_path / "traffic.jsonl", visit).traffic
    runs = [replay(traffic, guestbook(1)[0], BASE, {}, Silent())[0] for _ in range(3)]
    noise = noise_between(runs[0], runs[1], BASE)
    assert compare(runs[0], runs[2], noise, BASE).differences == []
    runs[2][4].status = 500
    assert [d.field for d in compare(runs[0], runs[2], noise, BASE).differences] == ["status"]


def test_writes_can_lie_in_seconds_of_their_own(guestbook, tmp_path):
    url, _ = guestbook(1)
    traffic = record_running(url, tmp_path / "traffic.jsonl", visit).traffic
    exchanges, _ = replay(traffic, guestbook(1)[0], BASE, {}, Silent(), writes_apart=True)
    written = [int(each.started) for each in exchanges if each.method == "POST"]
    assert len(written) == len(set(written)) == 3


def test_a_value_that_no_answer_gives_is_named(guestbook, tmp_path):
    url, _ = guestbook(1)
    traffic = record_running(url, tmp_path / "traffic.jsonl", visit).traffic
    del traffic.steps[2]
    _, tests = replay(traffic, guestbook(1)[0], BASE, {}, Silent())
    assert tests.failed[0].startswith("request 3, POST /note: answered 400, 303 when")
    assert "(csrf)@value" in tests.failed[0]


def exchange(method, target, *, body=b"", kind="", answer=b"", headers=(), asked=(), at=0.0):
    return Exchange(
        ordinal=0,
        method=method,
        target=target,
        request_headers=[*asked, *([("Content-Type", kind)] if kind else [])],
        request_body=body,
        status=200,
        headers=list(headers),
        body=answer,
        started=at,
    )


def bound(*exchanges):
    """Where the last request's values come from, and the secrets."""
    steps, taken = recorded_steps(exchanges, BASE)
    return steps[-1], taken


JSON = [("Content-Type", "application/json")]
HTML = [("Content-Type", "text/html")]


def test_an_identifier_is_bound_where_both_sides_call_it_so():
    made = exchange("POST", "/posts", answer=b'{"id": 12, "likes": 3}', headers=JSON)
    step, _ = bound(made, exchange("GET", "/posts/12?page=3", at=1))
    assert step.target == "/posts/{{v1}}?page=3"
    assert step.values["v1"].field == "body.id"
    assert step.values["v1"].otherwise == "12"


def test_a_number_is_not_bound_to_a_place_in_a_list():
    """A list may come in another order; who made the thing knows its key."""
    made = exchange("POST", "/posts", headers=[("Location", f"{BASE}/posts/12")])
    listed = exchange("GET", "/posts", answer=b'[{"id": 12}, {"id": 9}]', headers=JSON, at=1)
    step, _ = bound(made, listed, exchange("GET", "/posts/12", at=2))
    assert step.values["v1"].field == "header.location"
    step, _ = bound(made, listed, exchange("GET", "/posts/9", at=2))
    assert step.target == "/posts/9"


def test_what_the_client_sent_itself_is_not_bound():
    first = exchange("GET", "/people/ann-9", answer=b'{"slug": "ann-9"}', headers=JSON)
    step, _ = bound(first, exchange("GET", "/people/ann-9/posts", at=1))
    assert step.target == "/people/ann-9/posts"
    assert step.values == {}


def test_a_part_of_a_link_is_bound_by_what_stands_before_it():
    page = b'<a href="/tags/a-7">x</a><a href="/posts/a-7/edit">edit</a><a href="/posts/3">3</a>'
    first = exchange("GET", "/", answer=page, headers=HTML)
    step, _ = bound(first, exchange("GET", "/posts/a-7"))
    assert step.target == "/posts/{{v1}}"
    assert step.values["v1"].field.endswith("a[1]@href")
    assert (step.values["v1"].before, step.values["v1"].after) == ("/posts/", "/")
    step, _ = bound(first, exchange("GET", "/posts/3"))
    assert step.target == "/posts/3", "a key is the same in each run, the order of links is not"


def test_a_token_in_a_script_is_bound_to_the_text_around_it():
    token = "IjQ4ZmE5.ZxYw1A.k9-AbC_d0123456789"
    page = f'<script>var csrf = "{token}";</script>'.encode()
    asked = [("X-CSRFToken", token)]
    step, taken = bound(
        exchange("GET", "/", answer=page, headers=HTML),
        exchange("POST", "/like", asked=asked, at=1),
    )
    assert step.headers == [("X-CSRFToken", "{{v1}}")]
    assert step.values["v1"].before.endswith('csrf = "')
    assert taken == {}


def test_names_and_passwords_of_basic_authentication_and_files_in_forms():
    basic = base64.b64encode(b"ann:hunter2").decode()
    form = (
        b'--X\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n'
        b'--X\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n\xff\xfe\r\n'
        b"--X--\r\n"
    )
    step, taken = bound(
        exchange(
            "POST",
            "/upload",
            body=form,
            kind="multipart/form-data; boundary=X",
            asked=[("Authorization", f"Basic {basic}")],
        )
    )
    assert taken == {1: "hunter2"}
    assert "hunter2" not in step.body
    assert basic not in str(step.headers)
    traffic = RecordedTraffic(header=Header(format=FORMAT, version=1), steps=[step])
    sent, _ = replay(traffic, "http://127.0.0.1:9", BASE, taken, Silent(), timeout=1)
    assert sent[0].request_body == form
    assert ("Authorization", f"Basic {basic}") in sent[0].request_headers


def test_a_token_in_the_address_of_the_page_before_is_secret_too():
    token = "eyJhbGciOiJIUzI1NiJ9.eyJ1IjoxfQ.dBjftJeZ4CVPmB92K27uhbUJU1p1r"
    asked = [("Referer", f"{BASE}/reset/{token}?token=abc")]
    step, taken = bound(exchange("GET", f"/reset/{token}", asked=asked))
    assert sorted(taken.values()) == ["abc", token]
    assert step.target == "/reset/{{v1}}"
    assert step.headers == [("Referer", "{{v2}}/reset/{{v1}}?token={{v3}}")]


def test_a_number_that_is_secret_stays_a_number():
    step, taken = bound(
        exchange("POST", "/card", body=b'{"pin": 1234, "tags": ["a"]}', kind="application/json")
    )
    assert taken == {1: "1234"}
    traffic = RecordedTraffic(header=Header(format=FORMAT, version=1), steps=[step])
    sent, _ = replay(traffic, "http://127.0.0.1:9", BASE, {}, Silent(), timeout=1)
    assert isinstance(json.loads(sent[0].request_body)["pin"], int)


def test_the_applications_own_address_is_that_of_the_run():
    step, _ = bound(exchange("GET", "/login?next=http%3A%2F%2F127.0.0.1%3A1%2Fme"))
    traffic = RecordedTraffic(header=Header(format=FORMAT, version=1), steps=[step])
    sent, _ = replay(traffic, "http://127.0.0.1:9", "http://h:2", {}, Silent(), timeout=1)
    assert sent[0].target == "/login?next=http%3A%2F%2Fh%3A2%2Fme"


@pytest.mark.parametrize("upstream", ["https://127.0.0.1:1", "127.0.0.1:5000", "http://"])
def test_an_address_without_http_is_refused(tmp_path, upstream):
    with pytest.raises(ConfigurationError, match="no address"):
        record_running(upstream, tmp_path / "x.jsonl", visit)


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "no recorded traffic"),
        ('{"format":"har","version":1}\n', 1, "is not the format"),
        (f'{{"format":"{FORMAT}","version":1}}\n{{"target":"/"}}\n', 2, "method"),
    ],
)
def test_what_is_no_recorded_traffic_is_said_with_its_line(tmp_path, text, line, told):
    (tmp_path / "x.jsonl").write_text(text)
    with pytest.raises(ConfigurationError, match=told) as raised:
        load(tmp_path / "x.jsonl")
    assert raised.value.place.line == line


def test_a_file_is_read_as_it_was_written(tmp_path):
    steps, _ = recorded_steps([exchange("POST", "/ü", body=b"\xff{{v1}}")], BASE)
    traffic = RecordedTraffic(header=Header(format=FORMAT, version=1), steps=steps)
    save(traffic, tmp_path / "x.jsonl")
    assert load(tmp_path / "x.jsonl") == traffic

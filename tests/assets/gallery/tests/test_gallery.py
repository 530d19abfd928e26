"""What the gallery answers over HTTP, at BASE_URL."""

import json
import os
import urllib.error
import urllib.request

BASE_URL = os.environ["BASE_URL"]


def ask(method, path, **body):
    data = json.dumps(body).encode() if body else None
    headers = {"Content-Type": "application/json"} if body else {}
    request = urllib.request.Request(BASE_URL + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_what_was_there_from_the_beginning():
    assert ask("GET", "/badges/1.txt") == (200, "[Ada]")
    assert json.loads(ask("GET", "/pictures/1")[1]) == {
        "content": "a picture of Ada",
        "badge": "[Ada]",
    }


def test_a_badge_that_somebody_else_drew():
    person = json.loads(ask("POST", "/people", name="Bela")[1])["id"]
    made = ask("POST", "/pictures", name="bela.txt", person=person, content="Bela")
    number = json.loads(made[1])["id"]
    assert json.loads(ask("GET", f"/pictures/{number}")[1])["badge"] == "[Bela]"
    ask("POST", f"/people/{person}", name="Ilona")
    assert json.loads(ask("GET", f"/pictures/{number}")[1])["badge"] == "[Ilona]"
    assert ask("GET", f"/badges/{person}.txt") == (200, "[Ilona]")
    assert ask("DELETE", f"/pictures/{number}")[0] == 204
    assert ask("GET", f"/pictures/{number}")[0] == 404
    assert ask("GET", "/badges/none.txt")[0] == 404

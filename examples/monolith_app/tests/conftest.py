"""The tests speak HTTP to a running instance, and know nothing else of it.

`BASE_URL` says where it is. Its database must be freshly seeded. Every file of tests uses members
of its own, so that the files do not depend on each other.
"""

import os
import re
import time
from collections.abc import Callable

import pytest
import requests

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:5000").rstrip("/")
PASSWORD = "correct horse"
TIMEOUT = 15


class Client(requests.Session):
    """A session whose addresses are relative to the instance."""

    def request(self, method, url, **options):
        options.setdefault("timeout", TIMEOUT)
        return super().request(method, BASE_URL + url, **options)

    def page(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.text

    def token(self, path: str) -> str:
        return re.search(r'name="csrf_token" value="(\w+)"', self.page(path)).group(1)

    def submit(self, page: str, action: str, files=None, **fields) -> requests.Response:
        """Send the form of a page, as a browser would, but do not follow the redirect."""
        fields["csrf_token"] = self.token(page)
        return self.post(action, data=fields, files=files, allow_redirects=False)

    def follow(self, response: requests.Response) -> requests.Response:
        assert response.status_code == 302, response.text
        return self.get(response.headers["Location"])


def flashed(response: requests.Response) -> list[str]:
    return re.findall(r'<p class="flash \w+">(.*?)</p>', response.text)


def eventually(look: Callable, wanted: Callable, timeout: float = 15):
    """What `look` returns as soon as it is wanted; other processes need a moment."""
    deadline = time.monotonic() + timeout
    time.sleep(0.4)
    while True:
        seen = look()
        if wanted(seen):
            return seen
        assert time.monotonic() < deadline, f"still {seen!r} after {timeout} seconds"
        time.sleep(0.3)


@pytest.fixture(scope="session", autouse=True)
def running_instance():
    deadline = time.monotonic() + TIMEOUT
    while True:
        try:
            if requests.get(BASE_URL + "/healthz", timeout=TIMEOUT).ok:
                return
        except requests.ConnectionError:
            pass
        assert time.monotonic() < deadline, f"nothing answers at {BASE_URL}"
        time.sleep(0.2)


@pytest.fixture
def visitor() -> Client:
    return Client()


def signed_in(name: str) -> Client:
    client = Client()
    credentials = {"email": f"{name}@stream.example", "password": PASSWORD}
    response = client.post("/api/session", json=credentials)
    assert response.status_code == 201, response.text
    return client


@pytest.fixture
def staff() -> Client:
    return signed_in("staff")


@pytest.fixture
def sign_in() -> Callable[[str], Client]:
    return signed_in


@pytest.fixture
def register() -> Callable[[str], Client]:
    def register(name: str) -> Client:
        client = Client()
        body = {"email": f"{name}@new.example", "name": name.title(), "password": PASSWORD}
        response = client.post("/api/members", json=body)
        assert response.status_code == 201, response.text
        client.member = response.json()
        return client

    return register


@pytest.fixture
def title_id(visitor) -> Callable[[str], int]:
    def title_id(slug: str) -> int:
        titles = visitor.get("/api/titles", params={"q": slug.replace("-", " ")}).json()["items"]
        return next(title["id"] for title in titles if title["slug"] == slug)

    return title_id


@pytest.fixture
def new_title(staff) -> Callable[..., dict]:
    def new_title(name: str, genres=("drama",), released: bool = False, **more) -> dict:
        body = {"name": name, "year": 2025, "runtime_s": 1000, "genres": list(genres), **more}
        response = staff.post("/api/titles", json=body)
        assert response.status_code == 201, response.text
        title = response.json()
        if released:
            assert staff.post(f"/api/titles/{title['id']}/release").status_code == 200
        return title

    return new_title

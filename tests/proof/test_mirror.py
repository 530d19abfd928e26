"""Both sides of a service are asked the same while others write what is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from migrator.proof.exchange import Exchange
from migrator.proof.mirror import compare_sides

LATEST = Exchange(ordinal=0, method="GET", target="/latest")


class Posts:
    """The newest posts; for a while somebody writes one before each question."""

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.newest = 10

    def page(self, title: str) -> str:
        if self.busy:
            self.busy -= 1
            self.newest += 1
        ids = range(self.newest, self.newest - 5, -1)
        posts = "".join(f'<p id="post{n}">post {n}</p>' for n in ids)
        return f"<html><h1>{title}</h1>{posts}</html>"


@contextmanager
def side(posts: Posts, title: str) -> Iterator[str]:
    class Application(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = posts.page(title).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def compared(busy: int, title: str) -> list[tuple[str, str]]:
    posts = Posts(busy)
    with ExitStack() as both:
        old = both.enter_context(side(posts, "Posts"))
        new = both.enter_context(side(posts, title))
        found = compare_sides(LATEST, old, new)
    return [(each.monolith, each.services) for each in found.differences]


def test_what_others_write_meanwhile_is_no_difference() -> None:
    assert compared(busy=5, title="Posts") == []


def test_what_differs_however_often_it_is_asked_is_one() -> None:
    assert ("Posts", "Messages") in compared(busy=5, title="Messages")
    assert compared(busy=0, title="Messages") == [("Posts", "Messages")]

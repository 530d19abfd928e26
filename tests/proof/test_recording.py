import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from migrator.proof.recording import RecordingProxy


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(201)
        self.send_header("Set-Cookie", "a=1")
        self.send_header("Set-Cookie", "b=2")
        self.send_header("X-Host", self.headers["Host"])
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (body, b""):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "77")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def upstream():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_both_sides_pass_unchanged_and_are_kept(upstream):
    with RecordingProxy() as proxy:
        proxy.upstream = upstream
        client = http.client.HTTPConnection(proxy.url.removeprefix("http://"))
        body = bytes(range(256)) * 10_000
        client.request("POST", "/a?b=c", body, {"Cookie": "x=y"})
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (201, body)
        assert answer.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
        assert answer.headers["X-Host"] == proxy.url.removeprefix("http://")
        client.request("HEAD", "/h")
        answer = client.getresponse()
        assert (answer.status, answer.headers["Content-Length"], answer.read()) == (200, "77", b"")
        client.close()
        post, head = proxy.take()
        assert (post.method, post.target, post.request_body, post.body) == (
            "POST",
            "/a?b=c",
            body,
            body,
        )
        assert ("Cookie", "x=y") in post.request_headers
        assert (head.method, head.status) == ("HEAD", 200)
        assert proxy.take() == []


def test_an_upstream_that_is_gone_is_recorded_as_such():
    with RecordingProxy() as proxy:
        proxy.upstream = "http://127.0.0.1:1"
        client = http.client.HTTPConnection(proxy.url.removeprefix("http://"))
        client.request("GET", "/")
        assert client.getresponse().status == 599
        client.close()
        assert b"ConnectionRefused" in proxy.take()[0].body

"""A payment provider for development and tests: `python provider/server.py --port 5050`.

It behaves as the real one does on a bad day, but always in the same way. The card decides:
`tok_visa` is charged, `tok_declined` is not, and `tok_slow` is charged but the answer comes
too late (after `PROVIDER_DELAY` seconds). Every charge is told to the callback address as well,
`PROVIDER_REPEAT` times. With `PROVIDER_SLOW_EVERY=n` every n-th charge is slow, whatever the card.
"""

import argparse
import hashlib
import hmac
import json
import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("WEBHOOK_SECRET", "development-only-webhook-secret")
DELAY = float(os.environ.get("PROVIDER_DELAY", "2.5"))
PROMPT = 0.2
SLOW_EVERY = int(os.environ.get("PROVIDER_SLOW_EVERY", "0"))
REPEAT = int(os.environ.get("PROVIDER_REPEAT", "2"))
CALLBACK = os.environ.get("WEBHOOK_URL", "")
TRIES = 20

charges: dict[str, dict] = {}
lock = threading.Lock()


def charge(body: dict) -> tuple[dict, bool]:
    """The charge with this key, and whether it is slow; the same key never charges twice."""
    with lock:
        if body["key"] in charges:
            return charges[body["key"]], False
        status = "declined" if body["card"] == "tok_declined" else "succeeded"
        made = {"id": f"ch_{body['key']}", "key": body["key"], "status": status}
        charges[body["key"]] = made
        slow = body["card"] == "tok_slow" or (SLOW_EVERY and len(charges) % SLOW_EVERY == 0)
    callback = body.get("callback") or CALLBACK
    if callback:
        threading.Thread(
            target=tell, args=(callback, made, DELAY if slow else PROMPT), daemon=True
        ).start()
    return made, bool(slow)


def tell(callback: str, made: dict, wait: float) -> None:
    event = {
        "id": f"evt_{made['id']}",
        "kind": f"charge.{made['status']}",
        "key": made["key"],
        "charge": made["id"],
        "status": made["status"],
    }
    time.sleep(wait)
    for _ in range(REPEAT):
        deliver(callback, json.dumps(event).encode())
        time.sleep(PROMPT)


def deliver(callback: str, body: bytes) -> None:
    headers = {
        "Content-Type": "application/json",
        "X-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
    }
    for _ in range(TRIES):
        request = urllib.request.Request(callback, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.answer(200, {"status": "ok", "charges": len(charges)})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        if self.path == "/charges":
            made, slow = charge(body)
            if slow:
                time.sleep(DELAY)
            self.answer(201, made)
        elif self.path == "/refunds":
            self.answer(201, {"id": f"re_{body['key']}"})
        else:
            self.answer(404, {"error": "not found"})

    def answer(self, status: int, body: dict) -> None:
        payload = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
        except ConnectionError:
            pass  # the client did not wait

    def log_message(self, *_: object) -> None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5050)
    arguments = parser.parse_args()
    ThreadingHTTPServer((arguments.host, arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()

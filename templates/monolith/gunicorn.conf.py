"""How the monolith is served in a proof: as services are, so that both sides see the same."""

control_socket_disable = True


def pre_request(worker, req):
    """Give a request the headers that the gateway gives it, in its order: services have them.

    Whoever asks is on this machine, on both sides.
    """
    import uuid

    given = dict(req.headers)
    host = given.get("HOST", "")
    forwarded = [each for each in (given.get("X-FORWARDED-FOR"), "127.0.0.1") if each]
    own = [
        ("X-REQUEST-ID", uuid.uuid4().hex),
        ("HOST", host),
        ("X-FORWARDED-HOST", host),
        ("X-FORWARDED-PROTO", given.get("X-FORWARDED-PROTO") or "http"),
        ("X-FORWARDED-FOR", ", ".join(forwarded)),
        ("CONNECTION", "close"),
    ]
    length = [each for each in req.headers if each[0] == "CONTENT-LENGTH"]
    names = {name for name, _ in own + length}
    req.headers[:] = own + length + [each for each in req.headers if each[0] not in names]


def post_worker_init(worker):
    """Let what waits for the first request run in a request of nobody, as in services.

    There each process has a first request, and it would be another client's.
    """
    import contextlib
    import io
    import sys

    flask = sys.modules.get("flask")
    begin = getattr(flask and flask.Flask, "try_trigger_before_first_request_functions", None)
    if begin is None:
        return
    serve = flask.Flask.wsgi_app

    def wsgi_app(app, environ, start_response):
        if app.before_first_request_funcs and not app._got_first_request:
            nobody = {key: value for key, value in environ.items() if key != "HTTP_COOKIE"}
            nobody.update({"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"})
            with contextlib.suppress(Exception), app.request_context(nobody):
                begin(app)
        return serve(app, environ, start_response)

    flask.Flask.wsgi_app = wsgi_app

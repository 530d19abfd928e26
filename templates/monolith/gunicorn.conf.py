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

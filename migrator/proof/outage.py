"""One service fails: what depends on it says so at once, everything else answers as before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from migrator.model.manifest import ServiceManifest
from migrator.proof.comparison import Noise, differing, noise_between, request_shape
from migrator.proof.exchange import Exchange
from migrator.proof.fields import fields_of
from migrator.proof.recording import send
from migrator.proof.result import Stopped

REFUSAL_SECONDS = 1.0
"""Within this time a request that needs a stopped service must be answered with 503."""

ROUND_SECONDS = 1.1

SERVED_BY = "x-served-by"
STALE = "header.x-replica-stale"
TOO_MANY_REQUESTS = 429


class Probe(msgspec.Struct, kw_only=True):
    """A request that can be repeated, with the answer that it has while all services run."""

    request: Exchange
    answer: Exchange
    service: str
    needs: list[str]
    """Services that may be called on its path."""
    noise: set[Noise]


def probes_from(
    traffic: Iterable[Exchange],
    url: str,
    manifests: dict[str, ServiceManifest],
    known: set[Noise],
    before_each: Callable[[], None],
) -> list[Probe]:
    """One probe for each shape of request in the traffic, that changes nothing when it is asked.

    What is read is asked as it was; anything else as by a stranger, without cookies and body, and
    only where it is refused. Each is asked three times of the running system at `url`; what then
    has no one status is left out. What differs between the three is noise, as is what is `known`
    to be: the rounds lie more than a second apart, since many a time is told in whole seconds.
    """
    latest = {request_shape(each): each for each in traffic if each.status < 500}
    requests = {
        shape: seen if seen.method in ("GET", "HEAD") else _as_stranger(seen)
        for shape, seen in sorted(latest.items())
    }
    rounds = []
    for turn in range(3):
        time.sleep(ROUND_SECONDS if turn else 0)
        answered = {}
        for shape, request in requests.items():
            before_each()
            answered[shape] = ask(request, url)
        rounds.append(answered)
    probes = []
    for shape, request in requests.items():
        reads = request.method in ("GET", "HEAD")
        answers = [answered[shape] for answered in rounds]
        statuses = {each.status for each in answers}
        service = served_by(answers[0])
        if len(statuses) > 1 or max(statuses) >= 500 or service not in manifests:
            continue
        if not reads and max(statuses) < 400:
            continue
        noise = noise_between(answers[:1], answers[1:2], url)
        noise |= noise_between(answers[1:2], answers[2:], url)
        noise |= {each for each in known if each.request == shape}
        probes.append(
            Probe(
                request=request,
                answer=answers[-1],
                service=service,
                needs=_needs(manifests[service], shape),
                noise=noise,
            )
        )
    return probes


def _as_stranger(exchange: Exchange) -> Exchange:
    kept = [
        (name, value)
        for name, value in exchange.request_headers
        if name.lower() not in ("cookie", "authorization", "content-length")
    ]
    return Exchange(ordinal=0, method=exchange.method, target=exchange.target, request_headers=kept)


def ask(request: Exchange, url: str, timeout: float = 20.0) -> Exchange:
    """Send a recorded request again; the answer is a new exchange."""
    again = Exchange(
        ordinal=0,
        method=request.method,
        target=request.target,
        request_headers=request.request_headers,
        request_body=request.request_body,
    )
    send(url, again, timeout)
    return again


def served_by(exchange: Exchange) -> str:
    """The service that says it gave this answer, or an empty text."""
    return next((value for name, value in exchange.headers if name.lower() == SERVED_BY), "")


def answers_as_before(probe: Probe, url: str) -> list[str]:
    """What differs now from the probe's answer; a notice of stale replicas is no difference.

    Nor is it one that the application limits how often it may be asked, as we do.
    """
    now = ask(probe.request, url)
    if now.status == TOO_MANY_REQUESTS:
        return []
    shape = request_shape(now)
    before, after = fields_of(probe.answer, url), fields_of(now, url)
    before.pop(STALE, None)
    after.pop(STALE, None)
    return [
        f"{now.method} {now.target}: {name} was {was!r}, is {value!r}"
        for name, was, value in differing(shape, before, after, probe.noise, kinds=False)
    ]


def while_stopped(
    service: str,
    probes: list[Probe],
    url: str,
    manifests: dict[str, ServiceManifest],
    before_each: Callable[[], None],
) -> tuple[Stopped, list[str]]:
    """Ask every probe while `service` is stopped; what came of it, and what is wrong."""
    routes = [(name, route) for name, m in manifests.items() for route in m.routes.values()]
    found = Stopped(
        service=service,
        routes=len(routes),
        kept=sum(name != service and service not in route.depends_on for name, route in routes),
        probed=len(probes),
        as_before=0,
        unavailable=0,
    )
    problems: list[str] = []
    for probe in probes:
        before_each()
        begun = time.monotonic()
        wrong = answers_as_before(probe, url)
        took = time.monotonic() - begun
        if not wrong and (probe.service != service or _may_be_kept(probe.answer)):
            found.as_before += 1
            continue
        depends = probe.service == service or service in probe.needs
        refused = any("status was" in each and "is '503'" in each for each in wrong)
        if depends and refused and took <= REFUSAL_SECONDS:
            found.unavailable += 1
            found.slowest_refusal = max(found.slowest_refusal, took)
        elif depends and refused:
            problems.append(
                f"{probe.request.method} {probe.request.target}: 503 after {took:.1f} s"
            )
        else:
            problems.extend(wrong or [f"{probe.request.target} still answers without its service"])
    return found, problems


def _may_be_kept(answer: Exchange) -> bool:
    """Whether the application lets a cache answer for it, as the gateway's then does."""
    said = [value for name, value in answer.headers if name.lower() == "cache-control"]
    return any("public" in each.lower() for each in said)


def _needs(manifest: ServiceManifest, shape: str) -> list[str]:
    """Services that any route of this service with that shape calls."""
    method, _, path = shape.partition(" ")
    needed: set[str] = set()
    for route in manifest.routes.values():
        for rule in route.rules:
            if method in rule.methods and _may_match(rule.rule, path):
                needed.update(route.depends_on)
    return sorted(needed)


def _may_match(rule: str, path: str) -> bool:
    if "path:" in rule:
        return path.startswith(rule.partition("<")[0])
    parts, asked = rule.strip("/").split("/"), path.strip("/").split("/")
    return len(parts) == len(asked) and all(
        "<" in part or part == given for part, given in zip(parts, asked, strict=True)
    )

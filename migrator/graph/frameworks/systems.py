"""What lies outside the process: HTTP services, mail, commands, object stores, the environment."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_VERBS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "request", "urlopen", "stream"}
)
_HTTP = ("requests", "httpx", "urllib.request", "urllib3", "aiohttp", "http.client")
_MAIL = ("smtplib", "flask_mail", "aiosmtplib")
_COMMANDS = ("subprocess",)
_CLIENTS = {
    "boto3": "aws",
    "botocore": "aws",
    "google.cloud": "google cloud",
    "azure": "azure",
    "stripe": "stripe",
    "twilio": "twilio",
    "sendgrid": "sendgrid",
    "redis": "redis",
    "pymemcache": "memcached",
    "elasticsearch": "elasticsearch",
    "opensearchpy": "opensearch",
    "pymongo": "mongodb",
    "pika": "amqp",
    "kombu": "amqp",
    "kafka": "kafka",
    "confluent_kafka": "kafka",
    "paramiko": "ssh",
    "ftplib": "ftp",
    "ldap3": "ldap",
    "paho": "mqtt",
}


class Systems(Framework):
    """The plug-in: calls to outside systems, and keys read from the environment."""

    name = "systems"
    externals = ("os", "decouple", "environs", *_HTTP, *_MAIL, *_COMMANDS, *_CLIENTS)

    def __init__(self) -> None:
        self._calls: dict[Hashable, tuple[str, str]] = {}
        """By place: the system, which is known better the more is known there, and the function."""
        self._keys: dict[str, set[str]] = {}

    def imported(self, engine: Engine, name: str) -> Iterable[int] | None:
        if name == "os.environ":
            return (engine.values.opaque("systems:environ"),)
        return None

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            return self._outside(engine, site, view.name)
        if view.kind == Kind.BOUND:
            receiver = engine.values.view(view.owner)
            name = engine.values.name(view.function)
            if receiver.name == "systems:environ":
                self._key(site, site.text(0))
                default = site.argument(1, "default")
                return (*default, engine.values.external_instance("builtins.str"))
            return self._outside(engine, site, name)
        return None

    def _outside(self, engine: Engine, site: CallSite, name: str) -> Iterable[int] | None:
        if name in {"os.getenv", "os.environ.get", "decouple.config"}:
            self._key(site, site.text(0))
            default = site.argument(1, "default")
            return (*default, engine.values.external_instance("builtins.str"))
        if name in {"os.system", "os.popen"} or name.startswith("os.exec"):
            self._called(site, f"command {_first_word(site.text(0))}".strip())
            return None
        if name.startswith("os."):
            return None
        system = self._system(engine, site, name)
        if system:
            self._called(site, system)
        return None

    def _system(self, engine: Engine, site: CallSite, name: str) -> str:
        last = name.rsplit(".", 1)[-1]
        if name.startswith(_HTTP):
            if last not in _VERBS:
                return ""
            url = site.text(1 if last in {"request", "stream"} else 0, "url") or ""
            host = urlsplit(url).netloc
            return f"http {host}" if host and "{" not in host else "http"
        if name.startswith(_MAIL):
            return (
                "smtp" if last in {"SMTP", "SMTP_SSL", "send", "send_message", "sendmail"} else ""
            )
        if name.startswith(_COMMANDS):
            if last not in {"run", "Popen", "call", "check_call", "check_output"}:
                return ""
            return f"command {_first_word(_command(engine, site))}".strip()
        for prefix, system in _CLIENTS.items():
            if name == prefix or name.startswith(prefix + "."):
                return system
        return ""

    def _called(self, site: Site, system: str) -> None:
        self._calls[site.key] = (system, site.function)

    def _key(self, site: Site, key: str | None) -> None:
        if key:
            self._keys.setdefault(key, set()).add(f"{site.file}:{site.line}")

    def item(
        self, engine: Engine, site: Site, receiver: int, key: Hashable | None
    ) -> Iterable[int] | None:
        if engine.values.view(receiver).tag == "systems:environ":
            self._key(site, key if isinstance(key, str) else None)
            return (engine.values.external_instance("builtins.str"),)
        return None

    def finish(self, analysis: Analysis) -> None:
        calls: dict[str, set[str]] = {}
        for system, function in self._calls.values():
            calls.setdefault(system, set()).add(function)
        for system, functions in calls.items():
            known = analysis.program.externals.setdefault(system, [])
            known += sorted(functions - set(known))
        for key, places in self._keys.items():
            known = analysis.program.environment.setdefault(key, [])
            known[:] = sorted({*known, *places})


def _first_word(text: str | None) -> str:
    words = (text or "").split()
    return words[0] if words and "{" not in words[0] else ""


def _command(engine: Engine, site: CallSite) -> str | None:
    """The program that `subprocess.run("...")` or `subprocess.run(["...", ...])` starts."""
    for value in site.argument(0, "args"):
        held: tuple[int, ...] = (value,)
        if engine.values.kind(value) == Kind.CONTAINER:
            held = engine.points_to(engine.item(site, value, 0))
        for each in held:
            text = engine.values.text(each)
            if text is not None:
                return text
    return None

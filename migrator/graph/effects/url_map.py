"""The URL map of a Flask application, from what its code registers.

Follows `flask.sansio.blueprints.BlueprintSetupState.add_url_rule`, `Blueprint.register` and
`flask.sansio.app.App.add_url_rule` (Flask 1.1 to 3.1).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from migrator.model.program import Route


class Rule(NamedTuple):
    """One `add_url_rule` of an application or a blueprint, in its own terms."""

    rule: str
    endpoint: str
    methods: tuple[str, ...]
    """Those given, or none: then the view's own, or GET."""
    view: int | None
    """The value of the view function or class; None for what the framework itself serves."""
    file: str
    line: int
    defaults: tuple[tuple[str, str], ...] = ()
    subdomain: str = ""
    strict_slashes: bool = True
    build_only: bool = False
    handler: str = ""
    """The function that a framework provides, where there is no view."""
    hooks: tuple[int, ...] = ()
    """What runs around this view alone."""


class Registration(NamedTuple):
    """One `register_blueprint`; what is None was not given."""

    blueprint: Hashable
    url_prefix: str | None = None
    name: str | None = None
    subdomain: str | None = None
    defaults: tuple[tuple[str, str], ...] = ()


@dataclass
class Scaffold:
    """An application or a blueprint."""

    key: Hashable
    name: str = ""
    """A blueprint's name; empty for an application."""
    url_prefix: str | None = None
    subdomain: str | None = None
    static_rule: str | None = None
    """The rule of the static files, if it serves any."""
    rules: list[Rule] = field(default_factory=list)
    registrations: list[Registration] = field(default_factory=list)
    defaults: tuple[tuple[str, str], ...] = ()
    file: str = ""
    line: int = 0


class Mapped(NamedTuple):
    """A rule as the application's `url_map` holds it."""

    endpoint: str
    route: Route
    rule: Rule
    scaffolds: tuple[Hashable, ...]
    """The application and the blueprints that it was registered through, outermost first."""


def static_rule(static_folder: str | None, static_url_path: str | None) -> str | None:
    """The rule of a static folder, as `Scaffold.static_url_path` makes it."""
    if static_folder is None:
        return None
    if static_url_path is not None:
        return static_url_path.rstrip("/") + "/<path:filename>"
    base = static_folder.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    return f"/{base}/<path:filename>"


def url_map(application: Scaffold, scaffolds: dict[Hashable, Scaffold]) -> Iterator[Mapped]:
    """Every rule of `application`, through all the blueprints registered on it."""
    yield from _static(application, "", None, (application.key,))
    for rule in application.rules:
        yield _mapped(rule, "", None, None, (), (application.key,))
    for registration in application.registrations:
        yield from _registered(registration, scaffolds, "", None, None, (application.key,))


def _registered(
    registration: Registration,
    scaffolds: dict[Hashable, Scaffold],
    name_prefix: str,
    outer_prefix: str | None,
    outer_subdomain: str | None,
    path: tuple[Hashable, ...],
) -> Iterator[Mapped]:
    blueprint = scaffolds.get(registration.blueprint)
    if blueprint is None or blueprint.key in path:
        return
    path = (*path, blueprint.key)
    own = registration.name if registration.name is not None else blueprint.name
    name = f"{name_prefix}.{own}".lstrip(".")
    given = registration.url_prefix
    prefix = given if given is not None else blueprint.url_prefix
    if outer_prefix is not None:
        prefix = (
            outer_prefix if prefix is None else outer_prefix.rstrip("/") + "/" + prefix.lstrip("/")
        )
    given = registration.subdomain
    subdomain = given if given is not None else blueprint.subdomain
    if outer_subdomain is not None:
        subdomain = outer_subdomain if subdomain is None else f"{subdomain}.{outer_subdomain}"
    defaults = blueprint.defaults + registration.defaults
    yield from _static(blueprint, name, prefix, path)
    for rule in blueprint.rules:
        yield _mapped(rule, name, prefix, subdomain, defaults, path)
    for inner in blueprint.registrations:
        yield from _registered(inner, scaffolds, name, prefix, subdomain, path)


def _static(
    scaffold: Scaffold, name: str, prefix: str | None, path: tuple[Hashable, ...]
) -> Iterator[Mapped]:
    if scaffold.static_rule is not None:
        rule = Rule(scaffold.static_rule, "static", (), None, scaffold.file, scaffold.line)
        yield _mapped(rule, name, prefix, None, (), path)


def _mapped(
    rule: Rule,
    name: str,
    prefix: str | None,
    subdomain: str | None,
    defaults: tuple[tuple[str, str], ...],
    path: tuple[Hashable, ...],
) -> Mapped:
    text = rule.rule
    if prefix is not None:
        text = "/".join((prefix.rstrip("/"), text.lstrip("/"))) if text else prefix
    if text and not text.startswith("/"):
        text = "/" + text
    route = Route(
        rule=text,
        methods=normal_methods(rule.methods),
        defaults=dict((*defaults, *rule.defaults)),
        subdomain=rule.subdomain or subdomain or "",
        strict_slashes=rule.strict_slashes,
    )
    return Mapped(f"{name}.{rule.endpoint}".lstrip("."), route, rule, path)


def normal_methods(methods: tuple[str, ...]) -> tuple[str, ...]:
    """Upper case and sorted, without the HEAD that goes with every GET; GET where none is given."""
    given = {method.upper() for method in methods} or {"GET"}
    if "GET" in given:
        given.discard("HEAD")
    return tuple(sorted(given))

"""The URL rules of a program as they are registered: scaffolds, rules, and who is put where."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from migrator.graph.effects.url_map import (
    Mapped,
    Registration,
    Rule,
    Scaffold,
    static_rule,
    url_map,
)
from migrator.graph.frameworks.functools import original
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine
from migrator.graph.web.views import endpoint_of, is_view_class, methods_in, methods_of, serve
from migrator.model.program import Unresolved

RESOURCE: dict[str, Any] = {
    "endpoint": "",
    "methods": (),
    "defaults": (),
    "subdomain": "",
    "strict_slashes": True,
    "build_only": False,
}
"""The options of a rule that an extension adds."""


class Rules:
    """What `add_url_rule` and `register_blueprint` were called with, in all places."""

    def __init__(self) -> None:
        self.applications: dict[Hashable, Scaffold] = {}
        self.scaffolds: dict[Hashable, Scaffold] = {}
        self._rules: dict[Hashable, dict[tuple[Hashable, ...], Rule]] = {}
        self._registrations: dict[Hashable, dict[Hashable, Registration]] = {}
        self._dropped: set[tuple[Hashable, str]] = set()
        self._open: dict[Hashable, tuple[int, Registration, CallSite]] = {}
        """Registrations of a blueprint of which nothing is known: with the receiver."""
        self._doubtful: dict[tuple[Hashable, ...], tuple[str, int | None, str]] = {}
        """Rules with a part that is not known: the variant if they are added under a condition,
        the view, and the function if it is not known who calls it."""
        self._certain: set[tuple[str, int | None]] = set()
        self._told_apart: set[str] = set()
        """Functions that add rules for callers that are known."""
        self._unknown: dict[Hashable, tuple[str, Hashable, str, CallSite]] = {}
        """Texts that are not known: the variant if it stands under a condition (or the function, of
        which it is not known who calls it), the receiver, the reason, the place."""

    # -- scaffolds ------------------------------------------------------------------------------

    def new_application(self, site: CallSite, value: int) -> None:
        """An application is made here."""
        folder: str | None = "static"
        if site.given(name="static_folder") or site.given(2):
            folder = site.text(2, "static_folder")
        self.applications[value] = self.scaffolds[value] = Scaffold(
            value,
            static_rule=static_rule(folder, site.text(1, "static_url_path")),
            file=site.file,
            line=site.line,
        )

    def new_blueprint(self, engine: Engine, site: CallSite, value: int) -> None:
        """A blueprint is made here."""
        folder = site.text(2, "static_folder")
        self.scaffolds[value] = Scaffold(
            value,
            name=self._known_text(site, value, 0, "name") or "",
            url_prefix=self._known_text(site, value, 5, "url_prefix"),
            subdomain=self._known_text(site, value, 6, "subdomain"),
            static_rule=static_rule(folder, site.text(3, "static_url_path")),
            defaults=_defaults(engine, site, "url_defaults"),
            file=site.file,
            line=site.line,
        )

    def register(
        self, engine: Engine, site: CallSite, receiver: int, is_blueprint: Callable[[int], bool]
    ) -> None:
        """`application.register_blueprint(blueprint, ...)`."""
        given = site.argument(0, "blueprint")
        known = [each for each in given if is_blueprint(each)]
        if not known and any(_is_outside(engine, each) for each in given):
            return  # a package's own, whose routes are no part of the project
        for blueprint in known or (None,):
            registration = Registration(
                blueprint,
                self._known_text(site, receiver, -1, "url_prefix"),
                self._known_text(site, receiver, -1, "name"),
                self._known_text(site, receiver, -1, "subdomain"),
                _defaults(engine, site, "url_defaults"),
            )
            if blueprint is None:
                self._open[site.key] = (receiver, registration, site)
            else:
                self._open.pop(site.key, None)
                key = (site.key, blueprint)
                self._registrations.setdefault(receiver, {})[key] = registration

    # -- rules ----------------------------------------------------------------------------------

    def add_url_rule(self, engine: Engine, site: CallSite, receiver: int) -> None:
        """`receiver.add_url_rule(rule, endpoint, view_func, ...)`."""
        given = dict(options(engine, site, 0))
        if not given["endpoint"]:
            given["endpoint"] = _endpoint(site, 1)
        self._known_text(site, receiver, 0, "rule")
        for rule in given["rules"]:
            for view in site.argument(2, "view_func") or (None,):
                self.add(engine, site, receiver, rule, given, view, site.key)

    def add(
        self,
        engine: Engine,
        site: CallSite,
        receiver: Hashable,
        rule: str,
        given: dict[str, Any],
        view: int | None,
        key: Hashable,
    ) -> None:
        """A rule for a view, which from now on is served; None where no view is known.

        `given` is as `options` gives it, `key` the place of registration.
        """
        endpoint, methods = str(given["endpoint"] or ""), given["methods"]
        if view is not None:
            endpoint = endpoint or endpoint_of(engine, view)
            methods = methods or methods_of(engine, view)
            serve(engine, site, view)
        place = (site.file, site.line)
        code = engine.values.view(view).function if view is not None else -1
        code = code if code >= 0 or view is None else view
        if code >= 0 and engine.values.kind(code) in (Kind.FUNCTION, Kind.CLASS):
            place = engine.file_of(original(engine, code))[:2]
        if "{}" not in rule:
            self._certain.add((site.variant, view))
            if site.variant != site.function:
                self._told_apart.add(site.function)
        else:
            conditional = site.variant if site.conditional else ""
            general = site.function if site.variant == site.function else ""
            self._doubtful[(key, rule, view)] = (conditional, view, general)
        self._rules.setdefault(receiver, {})[(key, rule, view)] = Rule(
            rule=rule,
            endpoint=endpoint,
            methods=methods,
            view=view,
            file=place[0],
            line=place[1],
            defaults=given["defaults"],
            subdomain=str(given["subdomain"] or ""),
            strict_slashes=given["strict_slashes"] is not False,
            build_only=given["build_only"] is True,
            hooks=given.get("hooks", ()),
        )

    def add_of_extension(
        self,
        site: CallSite,
        receiver: Hashable,
        rule: str,
        endpoint: str,
        methods: tuple[str, ...] = (),
        handler: str = "",
        hooks: tuple[int, ...] = (),
    ) -> None:
        """A rule for which an extension itself answers, by a function that it provides if any."""
        self._rules.setdefault(receiver, {})[(site.key, (rule, endpoint), None)] = Rule(
            rule,
            endpoint,
            methods,
            None,
            site.file,
            site.line,
            handler=handler,
            hooks=hooks,
        )

    def drop(self, receiver: Hashable, endpoint: str) -> None:
        """An endpoint that an extension would add, had the project none in its place."""
        self._dropped.add((receiver, endpoint))

    # -- what is not known ----------------------------------------------------------------------

    def _known_text(
        self, site: CallSite, receiver: Hashable, position: int, name: str
    ) -> str | None:
        """The text of an argument that is part of URLs; one that is not known is reported."""
        texts = site.texts(position, name)
        key = (site.key, name)
        if not texts and site.given(position, name) and site.constant(position, name) is not None:
            of_others = site.variant if site.conditional else ""
            if site.variant == site.function:
                of_others = site.function
            self._unknown[key] = (of_others, receiver, f"dynamic {name}", site)
        else:
            self._unknown.pop(key, None)
        return texts[0] if texts else None

    # -- results --------------------------------------------------------------------------------

    def mapped(self, engine: Engine) -> list[Mapped]:
        """Every rule of every application, when nothing changes any more."""
        self._register_found_at_run_time()
        for receiver, rules in self._rules.items():
            if receiver in self.scaffolds:
                likely = {
                    key: rule
                    for key, rule in rules.items()
                    if not self._is_superfluous(key)
                    and (receiver, rule.endpoint) not in self._dropped
                }
                self.scaffolds[receiver].rules = list(_really_added(engine, likely))
        for receiver, registrations in self._registrations.items():
            if receiver in self.scaffolds:
                self.scaffolds[receiver].registrations = list(registrations.values())
        return [
            each
            for application in self.applications.values()
            for each in url_map(application, self.scaffolds)
        ]

    def _is_superfluous(self, key: tuple[Hashable, ...]) -> bool:
        """Whether a rule with a hole stands for nothing: others of that code are known."""
        doubtful = self._doubtful.get(key)
        if doubtful is None:
            return False
        variant, view, function = doubtful
        return (variant, view) in self._certain or function in self._told_apart

    def _register_found_at_run_time(self) -> None:
        """A blueprint that is registered by a value not known is any that nobody else registers."""
        taken = {
            each.blueprint for group in self._registrations.values() for each in group.values()
        }
        left = [key for key in self.scaffolds if key not in self.applications and key not in taken]
        for receiver, registration, site in self._open.values():
            if site.in_turns:
                continue
            group = self._registrations.setdefault(receiver, {})
            known = {each.blueprint for each in group.values()}
            for blueprint in left:
                if blueprint not in known:
                    found = registration._replace(blueprint=blueprint)
                    group[("found at run time", blueprint)] = found

    def unresolved(self, engine: Engine) -> Iterator[Unresolved]:
        """The places whose rules are not known, those left out that concern nothing made."""
        places = [site for _, _, site in self._open.values() if not site.in_turns]
        yield from dict.fromkeys(_unresolved(site, "dynamic blueprint") for site in places)
        added = {variant for variant, _ in self._certain} | self._told_apart
        found: dict[Unresolved, None] = {}
        for variant, receiver, reason, site in self._unknown.values():
            stands = isinstance(receiver, int) and self._stands_for_others(engine, receiver)
            if variant not in added and not stands and not site.in_turns:
                found[_unresolved(site, reason)] = None
        yield from found

    def _stands_for_others(self, engine: Engine, receiver: int) -> bool:
        """Whether a value is the class-wide one of instances that are told apart."""
        values = engine.values
        if values.kind(receiver) != Kind.INSTANCE or values.is_apart(receiver):
            return False
        owner = values.view(receiver).owner
        return any(
            isinstance(each, int) and values.is_apart(each) and values.view(each).owner == owner
            for each in self.scaffolds
        )


def _is_outside(engine: Engine, value: int) -> bool:
    name = engine.values.name(value)
    outside = engine.values.kind(value) in (Kind.EXTERNAL, Kind.EXTERNAL_INSTANCE)
    return outside and not name.startswith("builtins.") and not name.endswith("?")


def _unresolved(site: CallSite, reason: str) -> Unresolved:
    return Unresolved(reason=reason, function=site.function, file=site.file, line=site.line)


def _really_added(engine: Engine, rules: dict[tuple[Hashable, ...], Rule]) -> Iterator[Rule]:
    """Without what a better-known view of the same rule at the same place makes superfluous.

    A class that is no view class is none where there is a function too, which project code made
    from it.
    """
    views: dict[Hashable, set[int | None]] = {}
    for place, rule, view in rules:
        views.setdefault((place, rule), set()).add(view)  # type: ignore[arg-type]
    for (place, text, _), rule in rules.items():
        others = views[(place, text)]
        if rule.view is None and len(others) > 1:
            continue
        if (
            rule.view is not None
            and engine.values.kind(rule.view) == Kind.CLASS
            and not is_view_class(engine, rule.view)
            and any(each is not None and engine.values.kind(each) != Kind.CLASS for each in others)
        ):
            continue
        yield rule


def _defaults(engine: Engine, site: CallSite, name: str) -> tuple[tuple[str, str], ...]:
    """The constants of a dictionary argument, as text."""
    found: list[tuple[str, str]] = []
    for value in site.argument(-1, name):
        if engine.values.kind(value) != Kind.CONTAINER:
            continue
        for key in engine.keys(value):
            for each in engine.points_to(engine.item(site, value, key)):
                view = engine.values.view(each)
                text = view.name if view.kind == Kind.STRING else str(*view.parts[:1])
                found.append((str(key), text))
    return tuple(found)


def options(engine: Engine, site: CallSite, position: int) -> tuple[tuple[str, Any], ...]:
    """The options of a route, hashable: they are part of the decorator's value."""
    return (
        ("rules", site.texts(position, "rule")),
        ("endpoint", _endpoint(site, -1)),
        ("methods", _methods(engine, site)),
        ("defaults", _defaults(engine, site, "defaults")),
        ("subdomain", site.text(-1, "subdomain") or ""),
        ("strict_slashes", _flag(site, "strict_slashes")),
        ("build_only", _flag(site, "build_only")),
    )


def _methods(engine: Engine, site: CallSite) -> tuple[str, ...]:
    """The methods of a rule, as texts or as members of `http.HTTPMethod`."""
    return methods_in(engine, site.argument(-1, "methods"))


def _endpoint(site: CallSite, position: int) -> str:
    """The one text that it may be; None beside it is a default that was replaced."""
    texts = site.texts(position, "endpoint")
    return texts[0] if len(texts) == 1 else ""


def _flag(site: CallSite, name: str) -> bool | None:
    given = site.constant(-1, name)
    return given if isinstance(given, bool) else None

"""Resources that an API extension registers: Flask-RESTful and Flask-RESTX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, ClassView, Engine, Site
from migrator.graph.web.views import is_view_class, methods_attribute, texts_of

_API = "flask_restful:api"
_NAMESPACE = "flask_restful:namespace"
_ATTACHED = "flask_restful:attached"
_ROUTE = "flask_restful:route"
_OPTION = "flask_restful:option"
_ERROR_HANDLER = "flask_restful:errorhandler"
_TAGS = {"Api": _API, "Namespace": _NAMESPACE}


class FlaskRestful(Framework):
    """The plug-in: gives each resource's rules to the Flask plug-in.

    An API's own resources stand in it; those of a namespace appear below the namespace's path in
    every API to which it is added (`flask_restx.namespace`, `flask_restx.api.Api.ns_urls`).
    """

    name = "flask_restful"
    externals = ("flask_restful", "flask_restx", "flask_restplus")

    def __init__(self, flask: Flask) -> None:
        self.flask = flask
        self._prefixes: dict[int, str] = {}
        self._classes: dict[int, tuple[int, ...]] = {}
        """APIs that are no instances of a class of the project, to what made them."""
        self._namespaces: dict[int, tuple[str, str]] = {}
        """Namespace to its name and path."""
        self._named: dict[tuple[int, str], list[int]] = {}
        """API and endpoint to the resources that would be called so: later ones get a number."""

    def _kind(self, engine: Engine, value: int) -> str:
        """`_API` or `_NAMESPACE` for the value of one, instances of subclasses included."""
        view = engine.values.view(value)
        if view.kind == Kind.OPAQUE:
            return view.name if view.name in (_API, _NAMESPACE) else ""
        if view.kind == Kind.INSTANCE:
            for base in engine.bases(view.owner):
                tag = _TAGS.get(engine.values.name(base).rsplit(".", 1)[-1])
                if tag and engine.values.kind(base) == Kind.EXTERNAL:
                    return tag
        return ""

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            tag = _TAGS.get(view.name.rsplit(".", 1)[-1])
            if tag is None:
                return None
            made = self._construct(engine, site, tag, None)
            self._classes[made] = (callee,)
            return (made,)
        if view.kind == Kind.CLASS:
            instance = engine.new_instance(site, callee)
            tag = self._kind(engine, instance)
            return (self._construct(engine, site, tag, instance),) if tag else None
        if view.name == _ROUTE:
            return self._decorate(engine, site, view.parts)
        if view.name == _ERROR_HANDLER:
            return self._error_handler(engine, site, int(str(view.parts[0])))
        if view.kind != Kind.BOUND:
            return None
        tag = self._kind(engine, view.owner)
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        return self._call_method(engine, site, view.owner, tag, method) if tag else None

    def _construct(self, engine: Engine, site: CallSite, tag: str, instance: int | None) -> int:
        self.seen = True
        value = engine.values.opaque(tag, site.key) if instance is None else instance
        if tag == _NAMESPACE:
            name = site.text(0, "name") or ""
            self._namespaces[value] = (name, self._path(site, 2, name))
            return value
        self._prefixes[value] = site.text(-1, "prefix") or ""
        self._on_application(engine, site, value)
        return value

    def _path(self, site: CallSite, position: int, name: str) -> str:
        path = site.text(position, "path")
        return (path if path is not None else f"/{name}").rstrip("/")

    def _on_application(self, engine: Engine, site: CallSite, api: int) -> None:
        for position in (0, -1):
            variable = site.argument_variable(position, "app" if position == 0 else "blueprint")
            if variable is not None:
                engine.flow(variable, engine.slot("flask_restful", "app", api))

    def _call_method(
        self, engine: Engine, site: CallSite, receiver: int, tag: str, method: str
    ) -> Iterable[int] | None:
        values = engine.values
        if method == "__init__":
            self._construct(engine, site, tag, receiver)
            return ()
        if method == "init_app":
            self._on_application(engine, site, receiver)
        elif method == "add_resource":
            rules = _rules(engine, site, 1)
            endpoint = site.text(-1, "endpoint") or ""
            self._add(engine, site, receiver, site.argument(0), rules, endpoint)
        elif method in {"resource", "route"}:
            rules = _rules(engine, site, 0)
            endpoint = site.text(-1, "endpoint") or ""
            return (values.opaque(_ROUTE, receiver, rules, endpoint, site.key),)
        elif method == "namespace":
            made = self._construct(engine, site, _NAMESPACE, None)
            name, path = self._namespaces[made]
            engine.add(self._attached(engine, made), values.opaque(_ATTACHED, receiver, name, path))
            return (made,)
        elif method == "add_namespace":
            for namespace in site.argument(0, "ns"):
                name, path = self._namespaces.get(namespace, ("", ""))
                # Taken as it is: below "/" rules begin with two slashes, and are served so.
                path = site.text(1, "path") or path
                engine.add(
                    self._attached(engine, namespace),
                    values.opaque(_ATTACHED, receiver, name, path),
                )
        elif method == "errorhandler":
            if site.decorates:
                return self._error_handler(engine, site, receiver)
            return (values.opaque(_ERROR_HANDLER, receiver, site.key),)
        else:
            return (values.opaque(_OPTION, site.key),)
        return ()

    def _attached(self, engine: Engine, namespace: int) -> int:
        return engine.slot("flask_restful", "attached", namespace)

    def _decorate(
        self, engine: Engine, site: CallSite, parts: tuple[object, ...]
    ) -> tuple[int, ...]:
        receiver, rules, endpoint, _ = parts
        assert isinstance(receiver, int) and isinstance(rules, tuple)
        self._add(engine, site, receiver, site.argument(0), rules, str(endpoint))
        return site.argument(0)

    def _error_handler(self, engine: Engine, site: CallSite, receiver: int) -> tuple[int, ...]:
        for api, _, _ in self._apis(engine, receiver):
            for owner in engine.points_to(engine.slot("flask_restful", "app", api)):
                for function in site.argument(0):
                    self.flask.add_error_handler(engine, site, owner, function)
        return site.argument(0)

    def _apis(self, engine: Engine, receiver: int) -> Iterator[tuple[int, str, str]]:
        """The APIs in which something appears: with the namespace's name and path there."""
        if self._kind(engine, receiver) == _API:
            yield receiver, "", ""
            return
        for attached in engine.points_to(self._attached(engine, receiver)):
            api, name, path = engine.values.view(attached).parts
            yield int(str(api)), str(name), str(path)

    def _add(
        self,
        engine: Engine,
        site: CallSite,
        receiver: int,
        resources: Iterable[int],
        rules: tuple[str, ...],
        endpoint: str,
    ) -> None:
        classes = [each for each in resources if engine.values.kind(each) == Kind.CLASS]
        for api, name, path in self._apis(engine, receiver):
            prefix = self._prefixes.get(api, "") + path
            for owner in engine.points_to(engine.slot("flask_restful", "app", api)):
                for class_ in classes:
                    given = endpoint or self._endpoint(engine, api, class_, name)
                    for rule in rules:
                        self.flask.add_resource_rule(
                            engine, site, owner, prefix + rule, given, class_
                        )

    def _endpoint(self, engine: Engine, api: int, class_: int, namespace: str) -> str:
        """What the extension calls a resource: RESTX `camel_to_dash`, with the namespace's name."""
        short = engine.name_of(class_).rsplit(".", 1)[-1]
        if self._is_restful(engine, api):
            return short.lower()
        dashed = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", short)
        dashed = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", dashed).lower()
        endpoint = f"{namespace}_{dashed}" if namespace else dashed
        named = self._named.setdefault((api, endpoint), [])
        if class_ not in named:
            named.append(class_)
        earlier = named.index(class_)
        return f"{endpoint}_{earlier + 1}" if earlier else endpoint

    def _is_restful(self, engine: Engine, api: int) -> bool:
        """Whether an API is Flask-RESTful's, by itself or by a base of its class."""
        view = engine.values.view(api)
        made_of = (
            engine.bases(view.owner) if view.kind == Kind.INSTANCE else self._classes.get(api, ())
        )
        return any(engine.values.name(each).startswith("flask_restful.") for each in made_of)

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        tag = self._kind(engine, receiver)
        if not tag:
            return methods_attribute(engine, site, receiver) if name == "methods" else None
        return (engine.values.bound(receiver, engine.values.external(f"{tag}.{name}")),)

    def receiver_sensitive(self, engine: Engine, class_: int) -> bool:
        return is_view_class(engine, class_)

    def instances_apart(self, engine: Engine, class_: int) -> bool:
        return bool(self._kind(engine, engine.values.instance(class_)))

    def class_body(self, engine: Engine, class_: ClassView, base: int) -> None:
        if engine.values.name(base).endswith(".Resource"):
            self.seen = True


def _rules(engine: Engine, site: CallSite, first: int) -> tuple[str, ...]:
    """The rules among the positional arguments, those of `*urls` too."""
    found = [rule for position in range(first, site.positional) for rule in site.texts(position)]
    return tuple(dict.fromkeys((*found, *texts_of(engine, site.starred))))

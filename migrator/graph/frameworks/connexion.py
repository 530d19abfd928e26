"""Connexion: routes that an OpenAPI document describes, which names the functions that answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from migrator.facts.project import API_DOCUMENTS
from migrator.graph.framework import Framework
from migrator.graph.frameworks.flask import Flask
from migrator.graph.frameworks.project_files import project_files
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine, Site
from migrator.graph.web.rules import RESOURCE

_APPLICATION = "connexion:application"
_DOCUMENT = "connexion:document"
_RESTY = "connexion:resty"
_APPLICATIONS = frozenset({"App", "FlaskApp"})
_RESOLVERS = frozenset({"RestyResolver", "MethodViewResolver", "MethodResolver"})
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_CONVERTERS = {"integer": "int", "number": "float", "path": "path"}
_CONTROLLERS = ("x-openapi-router-controller", "x-swagger-router-controller")
_GUARDS = ("x-apikeyInfoFunc", "x-basicInfoFunc", "x-bearerInfoFunc", "x-tokenInfoFunc")
_OF_DOCUMENTS = ("paths", "parameters")
_LONGEST = 2_000_000


class Connexion(Framework):
    """The plug-in: `add_api(document)` adds a rule for every operation.

    A document that is put together (`SpecBuilder`) is all of its parts; one that is not known is
    every document of the project that no other call names.
    """

    name = "connexion"
    externals = ("connexion", "specsynthase", "os.path.join", "pathlib")

    def __init__(self, root: Path | None, flask: Flask) -> None:
        self._root = root
        self._flask = flask
        self._documents: dict[str, Mapping[str, Any]] | None = None

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        values = engine.values
        view = values.view(callee)
        last = values.name(view.function if view.kind == Kind.BOUND else callee).rsplit(".", 1)[-1]
        if view.kind == Kind.EXTERNAL:
            if view.name.startswith("connexion.") and last in _APPLICATIONS:
                self.seen = True
                made = self._flask.new_application(engine, site, None)
                return (values.opaque(_APPLICATION, made),)
            if view.name.startswith("connexion.") and last in _RESOLVERS:
                return (values.opaque(_RESTY, site.text(0, "default_module_name") or ""),)
            if last == "SpecBuilder":
                return (values.opaque(_DOCUMENT, site.key),)
            if last in {"join", "Path", "PurePath"}:
                return self._path(engine, site)
            return None
        if view.kind != Kind.BOUND:
            return None
        owner = values.view(view.owner)
        if owner.name == _DOCUMENT:
            return self._put_together(engine, site, view.owner, last)
        if owner.name != _APPLICATION:
            return None
        application = owner.parts[0]
        assert isinstance(application, int)
        if last == "add_api":
            self._add_api(engine, site, application)
            return ()
        method = engine.attribute(site, application, last)
        given = [site.argument_variable(position) for position in range(site.positional)]
        named = {each: site.argument_variable(-1, each) for each in site.keywords}
        found: list[int] = []
        for each in engine.points_to(method):
            result = engine.invoke(
                site,
                each,
                [variable for variable in given if variable is not None],
                {name: variable for name, variable in named.items() if variable is not None},
                edge=False,
            )
            found += engine.points_to(result)
        return found

    def attribute(
        self, engine: Engine, site: Site, receiver: int, name: str, base: int
    ) -> Iterable[int] | None:
        view = engine.values.view(receiver)
        if view.name == _APPLICATION and name == "app":
            application = view.parts[0]
            assert isinstance(application, int)
            return (application,)
        return None

    # -- documents ------------------------------------------------------------------------------

    def _path(self, engine: Engine, site: CallSite) -> Iterable[int] | None:
        """`os.path.join(folder, "openapi.yaml")`: as far as it is known."""
        if not engine.values.mentions("connexion") or not site.positional:
            return None
        parts: list[str] = []
        for position in reversed(range(site.positional)):
            text = site.text(position)
            if text is None:
                break
            parts.insert(0, text)
        if parts and parts[-1].endswith(API_DOCUMENTS):
            return (engine.values.string("/".join(parts)),)
        return None

    def _put_together(
        self, engine: Engine, site: CallSite, document: int, method: str
    ) -> Iterable[int]:
        if method == "add_spec":
            for text in site.texts(0, "file_name"):
                path = self._nearest(text, site)
                if path is not None:
                    engine.add(_parts(engine, document), engine.values.string(path))
        return (document,)

    def _add_api(self, engine: Engine, site: CallSite, application: int) -> None:
        paths: list[str | None] = []
        for value in site.argument(0, "specification"):
            text = engine.values.text(value)
            if engine.values.view(value).name == _DOCUMENT:
                paths += map(engine.values.text, engine.points_to(_parts(engine, value)))
            elif text is not None:
                paths.append(self._nearest(text, site))
        known = [each for each in paths if each is not None]
        if not known and engine.wait():
            return
        documents = [self._all()[each] for each in known]
        documents = documents or [each for each in self._all().values() if "paths" in each]
        shared = _shared(documents)
        prefix = site.text(-1, "base_path")
        modules = [
            str(engine.values.view(each).parts[0])
            for each in site.argument(-1, "resolver")
            if engine.values.view(each).name == _RESTY
        ]
        for document in documents:
            base = prefix if prefix is not None else _base_path(document)
            for path, method, operation, types in _operations({**document, **shared}):
                name = _function(path, method, operation, modules)
                asked = operation.get("security", document.get("security")) or ()
                guards = _guards({**document, **shared}, {each for one in asked for each in one})
                hooks = [hook for each in guards for hook in engine.resolve(each)]
                for view in engine.resolve(name) if name else ():
                    if engine.values.kind(view) == Kind.FUNCTION:
                        given = {
                            **RESOURCE,
                            "endpoint": f"{base.replace('.', '_') or '/'}.{name.replace('.', '_')}",
                            "methods": (method.upper(),),
                            "hooks": tuple(hooks),
                        }
                        rule = base.rstrip("/") + _rule(path, types)
                        key = (site.key, method)
                        self._flask.rules.add(engine, site, application, rule, given, view, key)

    def _all(self) -> dict[str, Mapping[str, Any]]:
        """All documents of the project that are OpenAPI's or parts of one, by path."""
        if self._documents is None:
            self._documents = {}
            for suffix in API_DOCUMENTS if self._root is not None else ():
                assert self._root is not None
                for path in project_files(self._root, f"*{suffix}"):
                    document = _read(path)
                    if document is not None:
                        name = path.relative_to(self._root).as_posix()
                        self._documents[name] = document
        return self._documents

    def _nearest(self, text: str, site: CallSite) -> str | None:
        """Of the documents whose path ends so, the one that lies nearest to the code."""
        wanted = text.replace("\\", "/").lstrip("./")
        found = [each for each in self._all() if f"/{each}".endswith(f"/{wanted}")]
        return max(found, key=lambda each: _in_common(each, site.file), default=None)


def _parts(engine: Engine, document: int) -> int:
    return engine.slot("connexion", "parts", document)


def _in_common(path: str, other: str) -> int:
    pairs = zip(path.split("/")[:-1], other.split("/")[:-1], strict=False)
    return next((number for number, (one, two) in enumerate(pairs) if one != two), len(path))


def _read(path: Path) -> Mapping[str, Any] | None:
    """A document of OpenAPI or Swagger, or a part of one with paths or parameters."""
    if not path.is_file() or path.stat().st_size > _LONGEST:
        return None
    text = path.read_text(encoding="utf-8", errors="replace")
    if not any(each in text for each in _OF_DOCUMENTS):
        return None
    try:
        document = json.loads(text) if path.suffix == ".json" else _yaml().load(text)
    except (YAMLError, ValueError):
        return None
    known = isinstance(document, dict) and any(
        isinstance(document.get(each), dict) for each in _OF_DOCUMENTS
    )
    return document if known else None


def _yaml() -> YAML:
    """A reader that bears what PyYAML bears."""
    reader = YAML(typ="safe")
    reader.allow_duplicate_keys = True
    reader.version = (1, 1)
    return reader


def _base_path(document: Mapping[str, Any]) -> str:
    """The path below which all others lie, of Swagger 2 or of the first server of OpenAPI 3."""
    servers = document.get("servers") or [{}]
    url = str(document.get("basePath") or servers[0].get("url") or "")
    return re.sub(r"^\w+://[^/]*", "", url).rstrip("/")


def _shared(documents: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What the parts of a document hold for each other."""
    found: dict[str, dict[str, Any]] = {"parameters": {}, "securityDefinitions": {}}
    for each in documents:
        for name, kept in found.items():
            kept.update(each.get(name) or {})
    return found


def _guards(document: Mapping[str, Any], asked: set[str]) -> Iterator[str]:
    """The functions that say who asks, by the names of what an operation asks for."""
    components = document.get("components") or {}
    schemes = components.get("securitySchemes") or document.get("securityDefinitions") or {}
    for scheme in (schemes[each] for each in sorted(asked) if each in schemes):
        yield from (str(scheme[each]) for each in _GUARDS if each in scheme)


def _operations(
    document: Mapping[str, Any],
) -> Iterator[tuple[str, str, Mapping[str, Any], dict[str, str]]]:
    """Path, method, operation, and the types of the path's parameters."""
    for path, item in (document.get("paths") or {}).items():
        for method in _METHODS:
            operation = item.get(method) if isinstance(item, dict) else None
            if isinstance(operation, dict):
                given = [*(item.get("parameters") or ()), *(operation.get("parameters") or ())]
                types = dict(_type(_referred(document, each)) for each in given)
                yield str(path), method, {**item, **operation}, types


def _referred(document: Mapping[str, Any], parameter: Mapping[str, Any]) -> Mapping[str, Any]:
    """What `$ref: '#/parameters/name'` refers to, in the same document."""
    found: Any = document
    for part in str(parameter.get("$ref", "")).split("/")[1:]:
        found = found.get(part, {}) if isinstance(found, dict) else {}
    return found if "$ref" in parameter else parameter


def _type(parameter: Mapping[str, Any]) -> tuple[str, str]:
    schema = parameter.get("schema") or parameter
    kind = "path" if schema.get("format") == "path" else str(schema.get("type", ""))
    return str(parameter.get("name", "")), kind if parameter.get("in") == "path" else ""


def _rule(path: str, types: Mapping[str, str]) -> str:
    def variable(match: re.Match[str]) -> str:
        converter = _CONVERTERS.get(types.get(match[1], ""))
        name = match[1].replace("-", "_")
        return f"<{converter}:{name}>" if converter else f"<{name}>"

    return re.sub(r"\{([^}]*)\}", variable, path)


def _function(path: str, method: str, operation: Mapping[str, Any], modules: Iterable[str]) -> str:
    """The dotted name of the function that answers: written, or what a resolver makes of it."""
    controller = next((str(operation[each]) for each in _CONTROLLERS if each in operation), "")
    written = str(operation.get("operationId") or "")
    if written:
        return f"{controller}.{written}" if controller else written
    parts = [each for each in path.split("/") if each]
    named = [each.replace("-", "_") for each in parts if not each.startswith("{")]
    for module in modules:
        name = controller or ".".join([module, *named])
        collection = method == "get" and named and not parts[-1].startswith("{")
        return f"{name}.{'search' if collection else method}"
    return ""

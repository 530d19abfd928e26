"""OpenAPI 3.1 of a service: its public routes, and the calls that it serves to siblings."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML

from migrator.model.manifest import OwnRoute, RouteRule, ServedCall, ServiceManifest
from migrator.model.program import Function, Parameter, Program

_VARIABLE = re.compile(r"<(?:(?P<converter>\w+)(?:\((?P<arguments>[^)]*)\))?:)?(?P<name>\w+)>")


def _string(_: str) -> dict[str, Any]:
    return {"type": "string"}


_SCHEMAS: dict[str, Callable[[str], dict[str, Any]]] = {
    "int": lambda _: {"type": "integer"},
    "float": lambda _: {"type": "number"},
    "uuid": lambda _: {"type": "string", "format": "uuid"},
    "any": lambda text: {
        "type": "string",
        "enum": [item.strip().strip("'\"") for item in text.split(",")],
    },
    "path": lambda _: {"type": "string", "description": "may hold slashes"},
}


def openapi(manifest: ServiceManifest, program: Program, purpose: str, version: str) -> str:
    """The text of contracts/openapi.yaml."""
    paths: dict[str, Any] = {}
    shapes: dict[str, str] = {}
    for endpoint, route in sorted(manifest.routes.items()):
        for number, rule in enumerate(route.rules):
            path, parameters = _path(rule.rule)
            # Paths that differ in the names of their variables only are one path.
            path = shapes.setdefault(re.sub(r"\{\w+\}", "{}", path), path)
            for parameter, name in zip(parameters, re.findall(r"\{(\w+)\}", path), strict=True):
                parameter["name"] = name
            for method in sorted(rule.methods):
                if method not in ("HEAD", "OPTIONS"):
                    operation = _operation(manifest, endpoint, route, rule, method, number)
                    if parameters:
                        operation["parameters"] = parameters
                    paths.setdefault(path, {}).setdefault(method.lower(), operation)
    for name, served in sorted(manifest.serves.items()):
        paths[f"/calls/{name}"] = _call(manifest, name, served, program.functions.get(name))
    document = {
        "openapi": "3.1.0",
        "info": {"title": manifest.name, "version": version, "description": purpose},
        "servers": [{"url": "/", "description": "behind the gateway"}],
        "paths": paths,
        "components": _components(bool(manifest.serves)),
    }
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100
    yaml.representer.ignore_aliases = lambda _: True
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _path(rule: str) -> tuple[str, list[dict[str, Any]]]:
    parameters = []
    for match in _VARIABLE.finditer(rule):
        schema = _SCHEMAS.get(match["converter"] or "", _string)
        parameters.append(
            {
                "name": match["name"],
                "in": "path",
                "required": True,
                "schema": schema(match["arguments"] or ""),
            }
        )
    return _VARIABLE.sub(lambda match: "{" + match["name"] + "}", rule), parameters


def _operation(
    manifest: ServiceManifest,
    endpoint: str,
    route: OwnRoute,
    rule: RouteRule,
    method: str,
    number: int,
) -> dict[str, Any]:
    names = [endpoint, method.lower(), *([str(number + 1)] if number else [])]
    responses: dict[str, Any] = {"default": {"description": "what the application answers"}}
    if route.depends_on:
        responses["503"] = {
            "description": "not reachable: " + ", ".join(route.depends_on),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    operation: dict[str, Any] = {"operationId": ".".join(names), "responses": responses}
    if route.depends_on or route.replicas_of:
        words = []
        if route.depends_on:
            words.append("Calls " + ", ".join(route.depends_on) + ".")
        if route.replicas_of:
            words.append("Reads copies of tables of " + ", ".join(route.replicas_of) + ".")
        operation["description"] = " ".join(words)
    return operation


def _call(
    manifest: ServiceManifest, name: str, served: ServedCall, function: Function | None
) -> dict[str, Any]:
    signature = ", ".join(_parameter(p) for p in function.parameters) if function else "..."
    raises = ", ".join(served.raises)
    return {
        "servers": [
            {"url": f"http://{manifest.name}-calls:8000", "description": "for siblings only"}
        ],
        "post": {
            "operationId": f"call.{name}",
            "tags": ["calls"],
            "summary": f"{name}({signature})",
            "description": f"Called by {', '.join(served.callers)}."
            + (f" May raise {raises}." if raises else ""),
            "security": [{"credential": []}],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Call"}}},
            },
            "responses": {
                "200": {
                    "description": "the function returned or raised",
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Outcome"}}
                    },
                },
                "401": {"description": "credential missing or wrong"},
            },
        },
    }


def _parameter(parameter: Parameter) -> str:
    star = {"var-positional": "*", "var-keyword": "**"}.get(parameter.kind, "")
    types = " | ".join(each.rpartition(".")[2] for each in parameter.types)
    return (
        star
        + parameter.name
        + (f": {types}" if types else "")
        + (" = ..." if parameter.default else "")
    )


def _components(serves: bool) -> dict[str, Any]:
    schemas: dict[str, Any] = {
        "Problem": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": {"type": "string"}, "service": {"type": "string"}},
        }
    }
    if not serves:
        return {"schemas": schemas}
    schemas["Call"] = {
        "type": "object",
        "description": "The function with one or several sets of arguments, in one transaction.",
        "required": ["key", "deadline", "caller", "position", "items"],
        "properties": {
            "key": {"type": "string", "description": "the same for every retry of one call"},
            "deadline": {"type": "number", "description": "seconds of the epoch"},
            "caller": {"type": "string"},
            "position": {
                "type": "array",
                "description": "epoch and head of the caller's feed, which is caught up with first",
            },
            "items": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"args": {"type": "array"}, "kwargs": {"type": "object"}},
                },
            },
            "context": {"type": ["object", "null"], "description": "of the caller's request"},
        },
    }
    schemas["Outcome"] = {
        "type": "object",
        "description": "What came back, and what the caller repeats on its own session.",
        "properties": {
            "results": {"type": "array"},
            "exception": {"type": "object"},
            "actions": {"type": "array", "items": {"enum": ["commit", "rollback"]}},
            "epoch": {"type": "string"},
            "head": {"type": "integer", "description": "to catch up to with the owner's feed"},
        },
    }
    return {
        "schemas": schemas,
        "securitySchemes": {"credential": {"type": "http", "scheme": "bearer"}},
    }

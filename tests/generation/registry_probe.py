"""Run as a script: starts `module:attribute` and prints what it has registered, as JSON."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from typing import Any


def dotted(function: Any) -> str:
    """The module and qualified name of a view function, class or hook."""
    inner = getattr(function, "view_class", None) or inspect.unwrap(function)
    return f"{inner.__module__}.{inner.__qualname__}".replace(".<locals>", "")


def registries(app: Any) -> dict[str, Any]:
    """Routes, hooks, error handlers, filters, tables, mapped classes, signals of an application."""
    database = app.extensions["sqlalchemy"]
    mappers = {m.class_.__name__: m for m in database.Model.registry.mappers}
    errors = [
        f"{blueprint}/{code}/{dotted(function)}"
        for blueprint, codes in app.error_handler_spec.items()
        for code, functions in codes.items()
        for function in functions.values()
    ]
    return {
        "routes": {
            rule.endpoint: [
                rule.rule,
                sorted(rule.methods),
                dotted(app.view_functions[rule.endpoint]),
            ]
            for rule in app.url_map.iter_rules()
        },
        "hooks": {str(k): [dotted(f) for f in v] for k, v in app.before_request_funcs.items() if v},
        "errors": sorted(errors),
        "filters": sorted(app.jinja_env.filters),
        "tables": sorted(database.metadata.tables),
        "relationships": {
            f"{name}.{each.key}": sorted(each.cascade)
            for name, mapper in mappers.items()
            for each in mapper.relationships
        },
        "deleting": {n: len(list(m.dispatch.before_delete)) for n, m in mappers.items()},
        "modules": sorted(each for each in sys.modules if each.startswith(sys.argv[2])),
    }


if __name__ == "__main__":
    module, _, attribute = sys.argv[1].partition(":")
    print(
        "REGISTRIES" + json.dumps(registries(getattr(importlib.import_module(module), attribute)))
    )

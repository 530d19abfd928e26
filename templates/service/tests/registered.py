"""Prints as JSON what the loaded application has registered. Runs as a process of its own."""

from __future__ import annotations

import gc
import json
import sys
import types
import weakref

from servicekit import frameworks
from servicekit import sqlalchemy as database
from servicekit.settings import settings


def mapped():
    """Tables of all metadata, and relationships as `Model.name(cascade,cascade)`."""
    tables, relationships = set(), set()
    try:
        from sqlalchemy import MetaData
        from sqlalchemy.orm import Mapper, configure_mappers
    except ImportError:
        return tables, relationships
    configure_mappers()
    for found in gc.get_objects():
        if isinstance(found, MetaData):
            tables.update(found.tables)
        elif isinstance(found, Mapper):
            for each in found.relationships:
                if each.parent is found:
                    cascades = ",".join(sorted(each.cascade))
                    relationships.add("%s.%s(%s)" % (found.class_.__name__, each.key, cascades))
    return tables, relationships


def dotted(function):
    """`module.outer.inner` of a function."""
    return "%s.%s" % (function.__module__, function.__qualname__.replace(".<locals>", ""))


def held_functions(wanted):
    """Those of the dotted names whose function something else than its namespace holds on to."""
    namespaces = {id(vars(module)) for module in list(sys.modules.values()) if module is not None}
    functions = [
        found
        for found in gc.get_objects()
        if isinstance(found, types.FunctionType) and dotted(found) in wanted
    ]
    names = set()
    for function in functions:
        elsewhere = any(
            holder is not functions
            and id(holder) not in namespaces
            and not isinstance(holder, types.FrameType)
            for holder in gc.get_referrers(function)
        )
        if elsewhere or weakref.getweakrefs(function):
            names.add(dotted(function))
    return names


def main():
    """Load the application as the web process does, and look."""
    database.install()
    loaded = frameworks.glue().load(settings().manifest["application"])
    tables, relationships = mapped()
    hooks = set(settings().manifest["registry"]["hooks"])
    json.dump(
        {
            "tables": sorted(tables),
            "relationships": sorted(relationships),
            "hooks": sorted(held_functions(hooks)),
            "rules": [
                [rule.endpoint, rule.rule, sorted(rule.methods or ())]
                for rule in loaded.app.url_map.iter_rules()
            ],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()

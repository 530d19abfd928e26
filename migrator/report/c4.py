"""The plan as a C4 model in the Structurizr DSL (https://docs.structurizr.com/dsl/language).

The application is one software system, each service a container with its database, and outside
systems are not guessed at.
"""

from __future__ import annotations

from migrator.report.content import Content, ServiceView
from migrator.report.pairs import pairs

SUFFIX = ".dsl"


def render(content: Content) -> str:
    """A workspace with a container view; identifiers are numbers, so that any name will do."""
    ids = {service.name: f"service{number}" for number, service in enumerate(content.services)}
    name = _quoted(content.application)
    lines = [
        f"workspace {name} {_quoted('Written by ' + content.program)} {{",
        "    model {",
        '        user = person "User"',
        f"        system = softwareSystem {name} {{",
        '            gateway = container "gateway" "Sends each route to its service" "NGINX"',
    ]
    for service in content.services:
        lines += _containers(service, ids[service.name])
    lines += ["        }", '        user -> gateway "asks"']
    for service in content.services:
        identifier = ids[service.name]
        if service.tables:
            lines.append(f'        {identifier} -> {_data(identifier)} "reads and writes"')
        if service.routes:
            number = f"{service.routes} route{'s' if service.routes != 1 else ''}"
            lines.append(f"        gateway -> {ids[service.name]} {_quoted(number)}")
    for pair in pairs(content):
        if pair.source not in ids or pair.target not in ids:
            continue
        ends = f"        {ids[pair.source]} -> {ids[pair.target]}"
        for what, verb, how, tag in (
            (pair.calls, "calls", "synchronous", "Call"),
            (pair.deferred, "sends", "outbox", "Deferred"),
            (pair.copies, "reads copies of", "feed", "Copy"),
        ):
            if what:
                named = ", ".join(each.rpartition(".")[2] for each in what)
                lines.append(f'{ends} {_quoted(f"{verb} {named}")} "{how}" "{tag}"')
    return "\n".join([*lines, "    }", *_VIEWS, "}", ""])


def _data(identifier: str) -> str:
    return identifier.replace("service", "data")


def _containers(service: ServiceView, identifier: str) -> list[str]:
    tag = "Remainder" if service.remainder else "Service"
    lines = [
        f"            {identifier} = container {_quoted(service.name)}"
        f' {_quoted(service.purpose)} "Python" "{tag}"'
    ]
    if service.tables:
        owned = _quoted("Owns " + ", ".join(service.tables))
        lines += [
            f"            {_data(identifier)} = container {_quoted(service.name + ' data')} {owned}"
            f' {_quoted(service.datastore.engine)} "Database"',
        ]
    return lines


_VIEWS = [
    "    views {",
    "        container system {",
    "            include *",
    "            autoLayout lr",
    "        }",
    "        styles {",
    '            element "Database" {',
    "                shape Cylinder",
    "            }",
    '            element "Remainder" {',
    "                background #999999",
    "            }",
    "            relationship Call {",
    "                color #b3261e",
    "            }",
    "            relationship Deferred {",
    "                color #8a5a00",
    "            }",
    "            relationship Copy {",
    "                color #0757b8",
    "            }",
    "        }",
    "    }",
]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
    return f'"{escaped}"'

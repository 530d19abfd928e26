"""The gateway: one NGINX configuration that sends each route to the service that answers it."""

from __future__ import annotations

import grp
import os
import pwd
import re
from collections.abc import Mapping
from pathlib import Path

from migrator.generation.routing import RoutedPattern, routed_patterns
from migrator.generation.templating import render, variable_name
from migrator.model.graph import Graph
from migrator.model.plan import Plan
from migrator.plan.consequences.front_end import default_service
from migrator.plan.steps import changes_something

TEMPLATE = "gateway/nginx.conf.template"
OPTIONAL = (
    *("GATEWAY_RESOLVER", "GATEWAY_KEEPALIVE", "GATEWAY_SPLITS", "GATEWAY_SIDES"),
    *("GATEWAY_MIRROR", "GATEWAY_MIRRORED"),
)
"""Placeholders that may be empty."""


def gateway_template(graph: Graph, plan: Plan, body_size: str = "0") -> str:
    """The configuration with placeholders for what is known only where it runs.

    `body_size` is NGINX's `client_max_body_size`; 0 leaves the limit to the application. Raises
    `Refused` for a route that cannot be written as a pattern.
    """
    routes = routed_patterns(graph, plan)
    paths: dict[str, RoutedPattern] = {}
    for route in routes:
        if not route.corrects_slash:
            paths.setdefault(route.regex, route)
    also = plan.in_transition()
    return render(
        "gateway/nginx.conf.template.j2",
        also=_also(graph, also) if also else {},
        services=sorted(plan.services),
        default_service=default_service(graph.program, plan),
        routes=routes,
        paths=list(paths.values()),
        body_size=body_size,
    )


def _also(graph: Graph, also: Mapping[str, str]) -> dict[str, str]:
    """Endpoint to the other side that can answer its reads, and whether a read may be repeated."""
    entries = graph.program.entry_points
    return {
        entries[name].endpoint or name: "changing" if changes_something(entries[name]) else "plain"
        for name in also
        if name in entries
    }


def configure(
    template: str,
    listen: str,
    folder: Path,
    servers: Mapping[str, list[str]],
    more: Mapping[str, str] | None = None,
) -> str:
    """`nginx.conf` for this machine from the text of gateway/nginx.conf.template.

    `listen` is `address:port`; `folder` (made already, absolute) takes pid file, temporary files,
    cache and access log; `servers` has the addresses of each service's web processes. NGINX's own
    messages go to its standard error. Start it with `nginx -p FOLDER -c FILE -g 'daemon off;'`.
    `more` fills placeholders that are empty otherwise: who answers what both sides can answer
    (`GATEWAY_SPLITS`, `GATEWAY_SIDES`), what is copied to whom (`GATEWAY_MIRROR`,
    `GATEWAY_MIRRORED`), and `GATEWAY_KEEPALIVE`. A service without an address is answered for
    with 503.
    """
    values = {
        "GATEWAY_LISTEN": listen,
        "GATEWAY_FOLDER": str(folder),
        "GATEWAY_ERROR_LOG": "stderr",
        "GATEWAY_ACCESS_LOG": f"{folder}/access.log",
        **dict.fromkeys(OPTIONAL, ""),
        # Started by root, NGINX would run its workers as somebody who may not enter the folder.
        "GATEWAY_USER": f"user {pwd.getpwuid(0).pw_name} {_root_group()};"
        if os.geteuid() == 0
        else "",
    }
    values |= more or {}
    for service, addresses in servers.items():
        # None is ever set aside: here a server that is gone refuses at once, and one error of
        # the last that lives must not make the service unreachable for a while.
        lines = [f"server {address} max_fails=0;" for address in addresses]
        values[f"SERVERS_{variable_name(service)}"] = "\n        ".join(
            lines or ["server 127.0.0.1:1 down;"]
        )
    return re.sub(
        r"\$\{((?:GATEWAY|SERVERS)_\w+)\}", lambda match: values.get(match[1], match[0]), template
    )


def _root_group() -> str:
    return grp.getgrgid(pwd.getpwuid(0).pw_gid).gr_name

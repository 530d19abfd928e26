"""The gateway: one NGINX configuration that sends each route to the service that answers it."""

from __future__ import annotations

import grp
import os
import pwd
import re
from pathlib import Path

from migrator.generation.routing import RoutedPattern, default_service, routed_patterns
from migrator.generation.templating import render, variable_name
from migrator.model.graph import Graph
from migrator.model.plan import Plan

TEMPLATE = "gateway/nginx.conf.template"


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
    return render(
        "gateway/nginx.conf.template.j2",
        services=sorted(plan.services),
        default_service=default_service(graph, plan),
        routes=routes,
        paths=list(paths.values()),
        body_size=body_size,
    )


def configure(template: str, listen: str, folder: Path, servers: dict[str, list[str]]) -> str:
    """`nginx.conf` for this machine from the text of gateway/nginx.conf.template.

    `listen` is `address:port`; `folder` (made already, absolute) takes pid file, temporary files,
    cache and access log; `servers` has the addresses of each service's web processes. NGINX's own
    messages go to its standard error. Start it with `nginx -p FOLDER -c FILE -g 'daemon off;'`.
    A service without an address is answered for with 503.
    """
    values = {
        "GATEWAY_LISTEN": listen,
        "GATEWAY_FOLDER": str(folder),
        "GATEWAY_ERROR_LOG": "stderr",
        "GATEWAY_ACCESS_LOG": f"{folder}/access.log",
        "GATEWAY_RESOLVER": "",
        # Started by root, NGINX would run its workers as somebody who may not enter the folder.
        "GATEWAY_USER": f"user {pwd.getpwuid(0).pw_name} {_root_group()};"
        if os.geteuid() == 0
        else "",
    }
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

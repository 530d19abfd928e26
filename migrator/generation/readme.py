"""What a person reads first: a README of the system, and one of each service."""

from __future__ import annotations

from typing import Any

from migrator.generation.templating import render
from migrator.model.manifest import ServiceManifest
from migrator.model.plan import Plan


def service_readme(
    manifest: ServiceManifest, plan: Plan, monolith_lines: int, dropped_keys: list[str]
) -> str:
    """README.md of one service."""
    service = plan.services[manifest.name]
    return render(
        "service/README.md.j2",
        manifest=manifest,
        service=service,
        purpose=_sentence(service.purpose),
        monolith_lines=monolith_lines,
        share=percentage(manifest.lines, monolith_lines),
        dropped_keys=dropped_keys,
        siblings=_siblings(manifest),
        relying=_relying(manifest, plan),
        routes=_routes(manifest),
    )


def system_readme(manifests: list[ServiceManifest], plan: Plan, default: str, lines: int) -> str:
    """README.md beside the services."""
    return render(
        "README.md.j2",
        services=[
            {
                "manifest": manifest,
                "purpose": _sentence(plan.services[manifest.name].purpose),
                "siblings": _siblings(manifest),
                "share": percentage(manifest.lines, lines),
            }
            for manifest in manifests
        ],
        default=default,
        lines=lines,
    )


def percentage(part: int, whole: int) -> int:
    """`part` in percent of `whole`, rounded."""
    return round(100 * part / whole) if whole else 0


def _sentence(text: str) -> str:
    words = " ".join(text.split())
    return words if not words or words.endswith(".") else words + "."


def _routes(manifest: ServiceManifest) -> list[tuple[str, str, str]]:
    return sorted(
        (rule.rule, ", ".join(sorted(rule.methods)), endpoint)
        for endpoint, route in manifest.routes.items()
        for rule in route.rules
    )


def _siblings(manifest: ServiceManifest) -> list[dict[str, Any]]:
    """What goes between the service and each sibling, by the sibling's name."""
    found: dict[str, dict[str, Any]] = {}

    def sibling(name: str) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "name": name,
            "calls": [],
            "deferred": [],
            "rows": [],
            "rows_later": [],
            "copies": [],
        }
        return found.setdefault(name, empty)

    for function, call in manifest.calls.items():
        later = call.remedy == "defer"
        if call.unit == "rows":
            sibling(call.owner)["rows_later" if later else "rows"].extend(call.tables)
        else:
            sibling(call.owner)["deferred" if later else "calls"].append(function)
    for table, replica in manifest.replicas.items():
        sibling(replica.owner)["copies"].append(table)
    for each in found.values():
        each["rows"] = sorted(set(each["rows"]))
        each["rows_later"] = sorted(set(each["rows_later"]) - set(each["rows"]))
        each["asked"] = [*_short(each["calls"]), *each["rows"]]
        each["later"] = [*_short(each["deferred"]), *each["rows_later"]]
    return [found[name] for name in sorted(found)]


def _relying(manifest: ServiceManifest, plan: Plan) -> dict[str, dict[str, list[str]]]:
    """Siblings that have copies of the service's tables, or call it: whom a change may break."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, service in sorted(plan.services.items()):
        copies = sorted(t for t, r in service.replicas.items() if r.owner == manifest.name)
        calls = sorted(f for f, served in manifest.serves.items() if name in served.callers)
        if copies or calls:
            found[name] = {"copies": copies, "calls": calls, "asks": _short(calls)}
    return found


def _short(functions: list[str]) -> list[str]:
    """The names of functions without their modules and classes, for a drawing."""
    return list(dict.fromkeys(each.rpartition(".")[2] for each in functions))

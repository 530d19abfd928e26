"""What a person reads first: a README of the system, and one of each service."""

from __future__ import annotations

from migrator.generation.deployment import to_be_given
from migrator.generation.manifest import CUT
from migrator.generation.templating import render
from migrator.model.manifest import ServiceManifest
from migrator.model.plan import Plan, Service


def service_readme(
    manifest: ServiceManifest,
    plan: Plan,
    monolith_lines: int,
    dropped_keys: list[str],
    python: str,
) -> str:
    """README.md of one service, which runs on `python`, `3.11`."""
    siblings, relying = _siblings(plan, manifest.name), _relying(plan, manifest.name)
    return render(
        "service/README.md.j2",
        manifest=manifest,
        purpose=_sentence(plan.services[manifest.name].purpose),
        monolith_lines=monolith_lines,
        share=percentage(manifest.lines, monolith_lines),
        dropped_keys=dropped_keys,
        siblings=siblings,
        relying=relying,
        neighbours=sorted({*siblings, *relying}),
        python=python,
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
                "siblings": _siblings(plan, manifest.name),
                "calls": _count(plan.services[manifest.name], later=False),
                "later": _count(plan.services[manifest.name], later=True),
                "share": percentage(manifest.lines, lines),
            }
            for manifest in manifests
        ],
        default=default,
        lines=lines,
        given=to_be_given(manifests),
    )


def _count(service: Service, *, later: bool) -> int:
    """The crossings that a request waits for, or those that are sent later."""
    return sum(each.remedy in CUT and later == (each.remedy == "defer") for each in service.calls)


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


def _between(plan: Plan, caller: str, owner: str) -> dict[str, list[str]] | None:
    """What `caller` has of `owner`; None where it is nothing."""
    service = plan.services[caller]
    calls = [each for each in service.calls if each.owner == owner and each.remedy in CUT]

    def names(unit: str, *, later: bool) -> list[str]:
        found = [each for each in calls if each.unit == unit and later == (each.remedy == "defer")]
        return sorted({n for e in found for n in (e.tables if unit == "rows" else [e.function])})

    use = {
        "copies": sorted(t for t, replica in service.replicas.items() if replica.owner == owner),
        "calls": names("function", later=False),
        "deferred": names("function", later=True),
        "rows": names("rows", later=False),
        "rows_later": sorted({*names("rows", later=True)} - {*names("rows", later=False)}),
    }
    if not any(use.values()):
        return None
    asked, later = (
        [*_short(use["calls"]), *use["rows"]],
        [*_short(use["deferred"]), *use["rows_later"]],
    )
    return {**use, "asked": asked, "later": later}


def _siblings(plan: Plan, name: str) -> dict[str, dict[str, list[str]]]:
    """What the service has of each sibling."""
    found = {owner: _between(plan, name, owner) for owner in sorted(plan.services)}
    return {owner: use for owner, use in found.items() if use}


def _relying(plan: Plan, name: str) -> dict[str, dict[str, list[str]]]:
    """What each sibling has of the service: whom a change may break."""
    found = {caller: _between(plan, caller, name) for caller in sorted(plan.services)}
    return {caller: use for caller, use in found.items() if use}


def _short(functions: list[str]) -> list[str]:
    """The names of functions without their modules and classes, for a drawing."""
    return list(dict.fromkeys(each.rpartition(".")[2] for each in functions))

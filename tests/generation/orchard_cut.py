"""The orchard of `tests/assets` as a graph, and services cut out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from migrator.generation.extract import Extraction, extract
from migrator.model.graph import Graph
from migrator.model.plan import Plan, Service
from migrator.model.program import EntryPoint, Function, Program, Table
from migrator.model.settings import Run

ORCHARD = Path(__file__).parents[1] / "assets" / "orchard"
RUN = Run(application="serve:app")
ENTRIES = {
    "route:trees.all": "orchard.trees.views.Trees",
    "route:trees.show": "orchard.trees.views.show",
    "route:trees.pick": "orchard.trees.views.pick",
    "route:shop.front": "orchard.shop.views.front",
    "route:shop.pay": "orchard.shop.views.pay",
    "route:shop.customers": "orchard.shop.views.customers",
    "route:office.desk": "orchard.office.desk",
    "route:office.one": "orchard.office.one",
    "route:alive": "orchard.factory.create_app.alive",
    "schedule:orchard.shop.prices.refresh": "orchard.shop.prices.refresh",
    "signal:orchard.shop.prices.cheaper": "orchard.shop.prices.cheaper",
}
HOOKS = (
    "orchard.shop.views.choose_customer",
    "orchard.shop.views.only_when_open",
    "orchard.shop.views.lost",
)
TREES = [each for each in ENTRIES if "trees" in each]
SHOP = [each for each in ENTRIES if "shop" in each]
OFFICE = [each for each in ENTRIES if "office" in each or "alive" in each]


def function(name: str, **more: Any) -> Function:
    return Function(name=name, file="", line=1, end_line=1, **more)


def graph(*functions: Function, root: Path = ORCHARD) -> Graph:
    """The orchard as analysis would give it."""
    modules = {}
    for path in sorted(root.rglob("*.py")):
        file = path.relative_to(root)
        name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
        modules[name] = file.as_posix()
    entries = {
        name: EntryPoint(
            name=name,
            kind=name.partition(":")[0],  # type: ignore[arg-type]
            handler=handler,
            file="",
            line=0,
            endpoint=name.partition(":")[2] if name.startswith("route") else "",
        )
        for name, handler in ENTRIES.items()
    }
    models = {
        "trees": "orchard.trees.models.Tree",
        "harvests": "orchard.trees.models.Harvest",
        "orders": "orchard.shop.models.Order",
        "customers": "orchard.shop.models.Customer",
    }
    tables = {n: Table(name=n, file="", line=0, model=model) for n, model in models.items()}
    return Graph(
        Program(
            root=str(root),
            source_roots=["."],
            modules=modules,
            entry_points=entries,
            tables=tables,
            hooks=HOOKS,
            functions={each.name: each for each in functions},
        )
    )


def cut(
    own: list[str], *functions: Function, other: Service | None = None, **service: Any
) -> Extraction:
    """The extraction of a service that has some of the entry points."""
    rest = other or Service(entry_points=[each for each in ENTRIES if each not in own])
    plan = Plan(services={"own": Service(entry_points=own, **service), "rest": rest})
    return extract(graph(*functions), plan, "own", RUN)


def text(extraction: Extraction, path: str) -> str:
    return extraction.files[path].decode()

"""The bakery in tests/assets, as analysis would tell of it, and a plan that splits it in two."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path

import msgspec

from migrator.model.distributions import Installed
from migrator.model.graph import EdgeKind, Graph, NodeKind
from migrator.model.plan import Plan, Service
from migrator.model.program import (
    Access,
    Column,
    EntryPoint,
    Event,
    Function,
    Parameter,
    Program,
    Relationship,
    Route,
    Table,
)
from migrator.model.schema import Schema, SchemaObject
from migrator.model.settings import Run, Settings

ROOT = Path(__file__).parents[1] / "assets" / "bakery"
SETTINGS = Settings(
    run=Run(
        application="bakery.app:app",
        migrate="flask --app bakery.app init",
        environment={
            "SHOP_SIGN": "open",
            "OVEN": "http://127.0.0.1:{port:oven}",
            "FLOUR": "{data}",
        },
    )
)


def _function(name: str, file: str, line: int, **more: object) -> Function:
    return msgspec.convert(
        {"name": name, "file": file, "line": line, "end_line": line + 6, **more}, Function
    )


def _route(
    endpoint: str, file: str, line: int, rule: str, method: str, reads: str, writes: str
) -> EntryPoint:
    handler = "bakery." + endpoint
    return EntryPoint(
        name=f"route:{endpoint}",
        kind="route",
        handler=handler,
        file=file,
        line=line,
        framework="flask",
        endpoint=endpoint,
        routes=(Route(rule=rule, methods=(method,)),),
        reads=tuple(_access(table, handler, file, line) for table in reads.split()),
        writes=tuple(_access(table, handler, file, line) for table in writes.split()),
        functions=(handler,),
    )


def _access(table: str, handler: str, file: str, line: int) -> Access:
    return Access(table=table, path=(handler,), file=file, line=line, via="query")


def _program() -> Program:
    regulars, cakes = "bakery/regulars.py", "bakery/cakes.py"
    regular = "bakery.models.Regular"
    functions = [
        _function(
            "bakery.regulars.stamp",
            regulars,
            15,
            parameters=[Parameter(name="regular", types=(regular,)), Parameter(name="count")],
            returns=[regular],
            raises=["bakery.regulars.TooManyStamps"],
            events=[
                Event(kind="read", target="regulars", line=17),
                Event(kind="write", target="regulars", line=19, operation="update"),
                Event(kind="commit", line=20),
            ],
        ),
        _function(
            "bakery.regulars.add",
            regulars,
            24,
            events=[
                Event(kind="write", target="regulars", line=27, operation="insert"),
                Event(kind="commit", line=28),
            ],
        ),
        _function(
            "bakery.regulars.show",
            regulars,
            32,
            events=[Event(kind="read", target="regulars", line=34)],
        ),
        _function(
            "bakery.cakes.bake",
            cakes,
            12,
            events=[
                Event(kind="read", target="regulars", line=14),
                Event(kind="call", target="bakery.regulars.stamp", line=16, handled=True),
                Event(kind="write", target="cakes", line=20, operation="insert"),
                Event(kind="commit", line=21),
            ],
        ),
        _function(
            "bakery.cakes.listed",
            cakes,
            25,
            events=[
                Event(kind="read", target="cakes", line=27),
                Event(kind="read", target="regulars", line=28),
            ],
        ),
    ]
    bake = _route("cakes.bake", cakes, 12, "/cakes/", "POST", "regulars", "cakes regulars")
    entries = [
        _route("regulars.add", regulars, 24, "/regulars/", "POST", "", "regulars"),
        _route("regulars.show", regulars, 32, "/regulars/<int:id>", "GET", "regulars", ""),
        msgspec.structs.replace(bake, functions=("bakery.cakes.bake", "bakery.regulars.stamp")),
        _route("cakes.listed", cakes, 25, "/cakes/of/<int:regular>", "GET", "cakes regulars", ""),
    ]
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): str(
            path.relative_to(ROOT)
        )
        for path in sorted(ROOT.rglob("*.py"))
    }
    return Program(
        root=str(ROOT),
        digest="bakery",
        source_roots=["."],
        modules=modules,
        lines=sum(len((ROOT / file).read_text().splitlines()) for file in modules.values()),
        functions={each.name: each for each in functions},
        classes={regular: ("flask_sqlalchemy.model.Model",)},
        tables={
            "regulars": Table(
                name="regulars",
                file="bakery/models.py",
                line=4,
                model=regular,
                columns=(Column(name="id", primary_key=True), Column(name="name")),
                relationships=(Relationship(name="cakes", target="bakery.models.Cake"),),
            ),
            "cakes": Table(
                name="cakes",
                file="bakery/models.py",
                line=12,
                model="bakery.models.Cake",
                columns=(
                    Column(name="id", primary_key=True),
                    Column(name="regular_id", references="regulars.id"),
                ),
                relationships=(Relationship(name="regular", target=regular, many=False),),
            ),
        },
        entry_points={each.name: each for each in entries},
        frameworks=["flask"],
    )


def graph() -> Graph:
    """The graph of the bakery."""
    made = Graph(_program())
    for entry in made.program.entry_points.values():
        source = made.add_node(NodeKind.ENTRY_POINT, entry.name, entry.file, entry.line)
        target = made.add_node(NodeKind.FUNCTION, entry.handler, entry.file, entry.line)
        made.add_edge(EdgeKind.HANDLES, source, target, entry.file, entry.line)
    return made


def plan() -> Plan:
    """Cakes apart from the people who eat them."""
    return Plan(
        application="bakery",
        services={
            "baking": Service(
                purpose="Bakes cakes: with icing",
                tables=["cakes"],
                entry_points=["route:cakes.bake", "route:cakes.listed"],
            ),
            "people": Service(
                purpose="Knows who comes often",
                tables=["regulars"],
                entry_points=["route:regulars.add", "route:regulars.show"],
            ),
        },
    )


@cache
def schema() -> Schema:
    """What the bakery's own `init` command makes."""
    script = "import bakery.app as a\nwith a.app.app_context(): a.db.create_all()"
    database = ROOT / "made-for-its-schema.db"
    try:
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{database}", "PYTHONPATH": str(ROOT)},
            check=True,
        )
        with sqlite3.connect(database) as connection:
            rows = connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"
            ).fetchall()
        connection.close()
    finally:
        database.unlink(missing_ok=True)
    return Schema(
        objects=tuple(SchemaObject(type=a, name=b, table=c, sql=d) for a, b, c, d in rows)
    )


@cache
def installed() -> Installed:
    """The environment that the tests run in, which has what the bakery imports."""
    asked = Path(__file__).parents[2] / "migrator" / "operation" / "installed.py"
    told = subprocess.run([sys.executable, str(asked)], capture_output=True, check=True).stdout
    return msgspec.convert(json.loads(told), Installed)

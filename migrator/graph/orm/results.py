"""What SQLAlchemy programs do, put into the graph: effects of places, and tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.effects.mapping import Mapping, Touched, sorted_touched
from migrator.graph.orm.builder import MappingBuilder
from migrator.graph.protocol import Site
from migrator.model.program import Relationship, Table

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis


def record(site: Site, touched: Iterable[Touched]) -> None:
    """Record what a place touches."""
    for each in sorted_touched(touched):
        site.effect(
            each.kind, each.table, columns=each.columns, via=each.via, operation=each.operation
        )


def add_tables(analysis: Analysis, mapping: Mapping, builder: MappingBuilder) -> None:
    """Put the tables of a mapping into the program."""
    models_of: dict[str, str] = {}
    for model in mapping.models.values():
        if model.table:
            models_of.setdefault(model.table, model.name)
    for name, fact in mapping.tables.items():
        model_name = models_of.get(name, "")
        relationships = tuple(
            Relationship(
                name=relation.name,
                target=relation.target,
                cascades=relation.cascades,
                secondary=relation.secondary,
                back_populates=relation.back_populates,
                passive_deletes=relation.passive_deletes,
                many=relation.direction not in ("many-to-one",) and relation.many is not False,
            )
            for model in mapping.models.values()
            if model.name == model_name
            for relation in model.relations.values()
        )
        analysis.program.tables[name] = Table(
            name=name,
            file=fact.file,
            line=fact.line,
            model=model_name,
            columns=tuple(fact.columns),
            relationships=relationships,
            framework="sqlalchemy",
        )

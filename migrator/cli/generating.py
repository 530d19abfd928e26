"""What `generate` and `verify --steps` share: all is read once, then steps are generated."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path

from migrator.cli.skipped import warn_skipped
from migrator.facts.settings import load_run, load_settings
from migrator.generation.generate import Generated, generate
from migrator.generation.preconditions import consistent_plan
from migrator.graph.current import current_graph
from migrator.model.distributions import Installed
from migrator.model.errors import Refusals, Refused
from migrator.model.plan import Plan
from migrator.model.progress import Progress
from migrator.model.registered import Registered
from migrator.model.schema import Schema
from migrator.operation.environment import uv_variables
from migrator.operation.monolith import read_installed, read_schema
from migrator.operation.registered import (
    read_registered,
    rules_of_packages,
    unknown_classes,
    unknown_rules,
)
from migrator.plan.evidence.support import require_supported
from migrator.plan.steps import plan_at_step, taken_in_order
from migrator.plan.store import FILE_NAME, load

_NAMED = 4


class Generating:
    """Graph, plan and what running the monolith told, of one monolith.

    Raises what reading them and `generate` raise: first what can be told before anything is
    installed.
    """

    def __init__(
        self, root: Path, plan_file: Path | None, output: Path, progress: Progress
    ) -> None:
        self._root = root
        self._output = output
        self._progress = progress
        self._settings = load_settings(root)
        self._graph = current_graph(root, self._settings, progress)
        warn_skipped(self._graph.program.skipped, progress)
        require_supported(self._graph.program)
        self._run = load_run(root)
        self._written = load(plan_file or root / FILE_NAME)
        self.plan: Plan = consistent_plan(self._graph, self._written, output)

    @property
    def steps(self) -> int:
        """How many services the plan takes out."""
        return len(taken_in_order(self.plan))

    @cached_property
    def _installed(self) -> Installed:
        return read_installed(self._root, self._run, self._progress)

    @cached_property
    def _registered(self) -> Registered | None:
        registered = read_registered(self._root, self._run, self._progress)
        if registered is None:
            self._progress.warn(
                "the application cannot be imported with an empty database: whether analysis found"
                " all of its routes and tables was not checked"
            )
        return registered

    @cached_property
    def _missed(self) -> list[Refused]:
        """What the application has and analysis does not know; one service may have it unknown."""
        registered = self._registered or Registered()
        program = self._graph.program
        missed = unknown_rules(self._root, program, registered.rules)
        if len(self.plan.services) > 1:
            missed += unknown_classes(self._root, program, registered.classes)
        return missed

    @cached_property
    def _schema(self) -> Schema:
        return read_schema(self._root, self._run, self._progress)

    def generate(self, step: int | None = None, progress: Progress | None = None) -> Generated:
        """Write all services, or those after `step` of them have been taken out."""
        if self._missed:
            raise Refusals(list(self._missed))
        plan = self._written
        if step is not None:
            plan = plan_at_step(self._graph, self.plan, step)
        made = generate(
            self._graph,
            plan,
            self._settings,
            self._output,
            progress or self._progress,
            schema=self._schema,
            installed=self._installed,
            uv_variables=uv_variables(os.environ),
            registered=self._registered,
        )
        rules = self._registered.rules if self._registered else []
        pages = rules_of_packages(self._root, rules)
        if pages and len(made.services) > 1 and made.written.first:
            shown = ", ".join(pages[:_NAMED]) + (", ..." if len(pages) > _NAMED else "")
            self._progress.warn(
                f"answered by packages, not by the project's code: {shown}: {made.default_service}"
                " has them, and what they tell of routes and data is what that service has"
            )
        return made

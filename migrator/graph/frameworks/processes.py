"""Processes beside the web process, as `[tool.migrator.run.processes]` starts them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.model.program import EntryPoint

if TYPE_CHECKING:
    from migrator.facts.project import ProjectFacts
    from migrator.graph.analysis import Analysis


class Processes(Framework):
    """The plug-in: a module of the project that is run as a program is an entry point."""

    name = "processes"

    def finish(self, analysis: Analysis) -> None:
        run = analysis.settings.run
        for process, command in sorted((run.processes if run else {}).items()):
            module = module_run(analysis.facts, command)
            if not module:
                continue
            self.seen = True
            name = f"process:{module}"
            analysis.program.entry_points[name] = EntryPoint(
                name=name,
                kind="process",
                handler=module,
                file=analysis.facts.modules[module].file,
                line=1,
                framework=self.name,
                trigger=process,
            )


def module_run(facts: ProjectFacts, command: str) -> str:
    """The project's module whose code a shell command runs; empty if it runs something else.

    Knows `python -m package.module` (for a package its `__main__`) and `python path/to/file.py`.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        return ""
    for position, word in enumerate(words):
        if word == "-m":
            named = words[position + 1] if position + 1 < len(words) else ""
            return next((m for m in (f"{named}.__main__", named) if m in facts.modules), "")
        if word.endswith(".py"):
            file = word.removeprefix("./")
            return next((m for m, each in facts.modules.items() if each.file == file), "")
    return ""

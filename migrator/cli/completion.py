"""What the shell completes beside verbs and options: names out of the files that lie there.

Each function is the `shell_complete` of an argument or option. They answer within a keystroke, so
they read no plan as a plan and no code at all, and say nothing where a file is missing or broken.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from migrator.plan.signals.affinity import SIGNALS
from migrator.plan.store import FILE_NAME, proposal_files
from migrator.plan.strategies import STRATEGIES

Completer = Callable[[click.Context, click.Parameter, str], list[str]]

_SUFFIX = ".plan.yaml"


def of_plan(*sections: str) -> Completer:
    """Names in the plan: `services`, and of each service what stands under other sections."""
    return lambda context, _, begun: _beginning(begun, _in_plan(_root(context), sections))


def listed(*sections: str) -> Completer:
    """The last of several names with commas between, after `SERVICE=` where one stands."""

    def complete(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
        before = begun[: max(begun.rfind(","), begun.rfind("=")) + 1]
        taken = {*re.split("[,=]", before)}
        names = (name for name in _in_plan(_root(context), sections) if name not in taken)
        return _beginning(begun, (before + name for name in names))

    return complete


def proposals(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The proposals that were kept, and the plan."""
    root = _root(context)
    kept = [file.name.removesuffix(_SUFFIX) for file in proposal_files(root)]
    plans = sorted(path.name for path in root.glob("*" + _SUFFIX))
    return _beginning(begun, [*kept, *plans])


def strategies(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """The names that proposals may have."""
    return _beginning(begun, STRATEGIES)


def signals(_: click.Context, __: click.Parameter, begun: str) -> list[str]:
    """The signals of which a weight can be given."""
    return _beginning(begun, (f"{name}=" for name in SIGNALS))


def running(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """The services of the system that `--services` names."""
    folder = Path(context.params.get("output") or ".")
    try:
        system = json.loads((folder / "system.json").read_bytes())
        return _beginning(begun, sorted(system["services"]))
    except (OSError, ValueError, LookupError, TypeError):
        return []


def _root(context: click.Context) -> Path:
    return Path(context.params.get("source") or ".")


def _beginning(begun: str, names: Iterable[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name.startswith(begun)]


def _in_plan(root: Path, sections: Iterable[str]) -> Iterator[str]:
    """Names as our own layout of the file has them, line by line."""
    try:
        lines = (root / FILE_NAME).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return
    top = section = ""
    for line in lines:
        if key := re.match(r"(\w+):", line):
            top = key[1]
        if top != "services":
            continue
        if service := re.match(r"  ([\w-]+):", line):
            section = ""
            if "services" in sections:
                yield service[1]
        elif key := re.match(r"    (\w+):", line):
            section = key[1]
        elif section in sections and (item := re.match(r" {4,6}- ([^\s#]+)", line)):
            yield item[1]

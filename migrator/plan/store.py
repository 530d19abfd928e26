"""The plan as a file: read with every mistake found at once, written so that comments stay."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from migrator.model.errors import ConfigurationError, MigratorError, Place, PlanError
from migrator.model.graph import Graph
from migrator.model.plan import Plan, Service
from migrator.model.private import PRIVATE
from migrator.model.program import EntryPoint
from migrator.plan import document

FILE_NAME = "migrator.plan.yaml"

PROPOSAL = f"{PRIVATE}/proposal.plan.yaml"
"""Where the last proposal is kept, relative to the root, so that edits can be compared with it."""

PROPOSALS = f"{PRIVATE}/proposals"
"""The folder of all proposals that were made last, each as NAME.plan.yaml."""

_MEND = "correct it there, then run `migrator check`"

_HEADER = [
    "# The plan of migrator: edit it, then run `migrator check`.",
    "# To decide: tables, entry_points, remedies, freshness, order. The rest follows from these.",
]

_GENERATED = re.compile(r"# (?:[A-Z]+(?:, [A-Z]+)* /\S*(?:; )?)+$")
"""The comment that we write beside a route."""


class LoadedPlan(Plan, kw_only=True, omit_defaults=True, dict=True):
    """A plan that knows where its parts stand in the file that it was read from."""

    def place(self, *path: str) -> Place:
        """The line of a part, or of the nearest part that holds it."""
        lines = self.__dict__.get("lines", {})
        while path and path not in lines:
            path = path[:-1]
        return Place(self.__dict__.get("file", FILE_NAME), lines.get(path, 0))


def place_in(plan: Plan, *path: str) -> Place | None:
    """Where a part of a plan stands, if it was read from a file."""
    return plan.place(*path) if isinstance(plan, LoadedPlan) else None


def load(path: Path) -> Plan:
    """Read a plan. Raises PlanError with every mistake of form, each with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        raise MigratorError(
            "there is no plan yet" if missing else f"cannot read the plan: {error.strerror}",
            place=Place(str(path)),
            hint=f"`migrator propose {path.parent}` writes one",
        ) from None
    try:
        content, lines = document.parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path.name, mark.line + 1 if mark else 0)
        problem = " ".join(str(error.problem or error.context).split())
        wrong = MigratorError(f"not valid YAML: {problem}", place=place, hint=_MEND)
        raise PlanError([wrong]) from None
    except YAMLError as error:
        raise PlanError(
            [MigratorError(f"not valid YAML: {error}", place=Place(path.name), hint=_MEND)]
        ) from None
    reader = _Reader(path.name, lines)
    plan = reader.read((), content if content is not None else {}, LoadedPlan)
    if reader.problems:
        raise PlanError(reader.problems, hint="correct them and run `migrator check`")
    assert isinstance(plan, LoadedPlan)
    plan.__dict__["lines"] = lines
    plan.__dict__["file"] = path.name
    return plan


class _Reader:
    """Converts plain values to a type, and collects what does not fit."""

    def __init__(self, file: str, lines: dict[document.Path, int]) -> None:
        self._file = file
        self._lines = lines
        self.problems: list[MigratorError] = []

    def _problem(self, path: document.Path, message: str, hint: str = "") -> None:
        at = path
        while at and at not in self._lines:
            at = at[:-1]
        self.problems.append(
            MigratorError(message, place=Place(self._file, self._lines.get(at, 1)), hint=hint)
        )

    def read(self, path: document.Path, value: Any, wanted: Any) -> Any:
        origin = typing.get_origin(wanted)
        name = path[-1] if path else "the plan"
        if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
            return self._struct(path, value, wanted)
        if origin is dict:
            if not isinstance(value, dict):
                return self._problem(path, f"{name} must be a mapping")
            of = typing.get_args(wanted)[1]
            return {str(k): self.read((*path, str(k)), v, of) for k, v in value.items()}
        if origin is list:
            if not isinstance(value, list):
                return self._problem(path, f"{name} must be a list")
            of = typing.get_args(wanted)[0]
            return [self.read((*path, document.identity(v)), v, of) for v in value]
        if origin is typing.Literal:
            allowed = typing.get_args(wanted)
            if value not in allowed:
                close = get_close_matches(str(value), allowed, 1)
                hint = f"did you mean {close[0]}?" if close else "one of " + ", ".join(allowed)
                return self._problem(path, f"{name} cannot be {value}", hint)
            return str(value)
        if wanted == int | str:
            wanted = str
        if wanted is float and isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        if wanted is str and isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return str(value)
        if wanted is bool and isinstance(value, bool):
            return value
        if wanted is int and isinstance(value, int) and not isinstance(value, bool):
            return int(value)
        kinds = {str: "a text", bool: "true or false", int: "a whole number", float: "a number"}
        kind = kinds[wanted]
        return self._problem(path, f"{name} must be {kind}")

    def _struct(self, path: document.Path, value: Any, wanted: type[msgspec.Struct]) -> Any:
        value = {} if value is None else value
        if not isinstance(value, dict):
            return self._problem(path, f"{path[-1] if path else 'the plan'} must be a mapping")
        hints = typing.get_type_hints(wanted, vars(_model_namespace()))
        fields = {field.name: field for field in msgspec.structs.fields(wanted)}
        given: dict[str, Any] = {}
        for key, each in value.items():
            below = (*path, str(key))
            if key not in fields:
                close = get_close_matches(str(key), fields, 1)
                hint = f"did you mean {close[0]}?" if close else "one of " + ", ".join(fields)
                self._problem(below, f"unknown field {key}", hint)
            elif each is not None:
                given[key] = self.read(below, each, hints[key])
        for name, field in fields.items():
            if field.required and given.get(name) is None and name not in value:
                self._problem(path, f"{path[-1] if path else 'the plan'} needs a field {name}")
        if self.problems:
            return None
        return wanted(**given)


def _model_namespace() -> types.ModuleType:
    from migrator.model import plan

    return plan


def save(plan: Plan, path: Path, graph: Graph | None = None) -> None:
    """Write a plan; comments that stand in the file stay with what they stand at.

    With a graph, each route is followed by its methods and rule.
    """
    path.write_text(
        render(plan, graph, path.read_text(encoding="utf-8") if path.exists() else ""),
        encoding="utf-8",
    )


def save_proposals(plans: Mapping[str, Plan], root: Path, graph: Graph) -> None:
    """Keep proposals by name below the root, in place of those that were there."""
    folder = root / PROPOSALS
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.plan.yaml"):
        old.unlink()
    for name, plan in plans.items():
        save(plan, folder / f"{name}.plan.yaml", graph)


def find(root: Path, name: str) -> Plan:
    """The plan that a name means: of a proposal that was kept, or of a file.

    Raises ConfigurationError when it is neither, PlanError when the file is no plan.
    """
    kept = {each.name.removesuffix(".plan.yaml"): each for each in proposal_files(root)}
    if name in kept:
        return load(kept[name])
    for path in (Path(name), root / name):
        if path.is_file():
            return load(path)
    known = ", ".join([*kept, FILE_NAME])
    raise ConfigurationError(
        f"there is no proposal and no plan file {name}",
        hint=f"one of: {known}" if kept else "`migrator propose` makes proposals",
    )


def proposal_files(root: Path) -> list[Path]:
    """The files of the proposals that were kept, by name."""
    return sorted((root / PROPOSALS).glob("*.plan.yaml"))


def render(plan: Plan, graph: Graph | None = None, before: str = "") -> str:
    """The text of a plan, with the comments of the text that it replaces."""
    text = _dump(_as_yaml(plan))
    above: dict[document.Path, list[str]] = {("version",): list(_HEADER)}
    beside: dict[document.Path, str] = {}
    at_end: list[str] = []
    if before.strip():
        try:
            above, beside, at_end = document.comments(before)
        except YAMLError:
            above, beside, at_end = {("version",): list(_HEADER)}, {}, []
    if graph is not None:
        ours = {n: f"# {described(each)}" for n, each in graph.program.entry_points.items()}
        beside = {
            path: comment
            for path, comment in beside.items()
            if not _GENERATED.match(comment) and ours.get(path[-1]) != comment
        }
        for name, service in plan.services.items():
            for entry in service.entry_points:
                comment = ours.get(entry, "# ")
                if not entry.endswith(comment[2:]):
                    beside.setdefault(("services", name, "entry_points", entry), comment)
    return document.commented(text, above, beside, at_end)


def described(entry: EntryPoint) -> str:
    """An entry point's methods and rules, or what sets it off, on one line."""
    if entry.routes:
        return "; ".join(f"{', '.join(sorted(r.methods))} {r.rule}" for r in entry.routes)
    return entry.trigger


def _as_yaml(plan: Plan) -> dict[str, Any]:
    top: dict[str, Any] = {"version": plan.version, "application": plan.application}
    if plan.proposal:
        top["proposal"] = plan.proposal
    top["gate"] = msgspec.to_builtins(plan.gate)
    demands = msgspec.to_builtins(plan.demands)
    if demands:
        top["demands"] = demands
    if plan.remedies:
        top["remedies"] = dict(sorted(plan.remedies.items()))
    top["services"] = {name: _service(s) for name, s in sorted(plan.services.items())}
    if plan.roadmap:
        top["roadmap"] = msgspec.to_builtins(plan.roadmap)
    findings = [msgspec.to_builtins(finding) for finding in plan.findings]
    if findings:
        top["findings"] = findings
    top["made_from"] = msgspec.to_builtins(plan.made_from)
    return top


def _service(service: Service) -> dict[str, Any]:
    """A service with every field that a person may want to set, defaults too."""
    out: dict[str, Any] = {"purpose": service.purpose}
    if service.remainder:
        out["remainder"] = True
    else:
        out["order"] = service.order
    out["tables"] = sorted(service.tables)
    out["entry_points"] = sorted(service.entry_points)
    out["replicas"] = {
        table: {"owner": replica.owner, "freshness": replica.freshness}
        | ({"when_late": "refuse"} if replica.when_late == "refuse" else {})
        for table, replica in sorted(service.replicas.items())
    }
    out["calls"] = [
        {
            "function": call.function,
            "owner": call.owner,
            "remedy": call.remedy,
            "transport": call.transport,
            **({"unit": call.unit} if call.unit != "function" else {}),
            "tables": call.tables,
            "because": call.because,
            "at": call.at,
        }
        for call in sorted(service.calls, key=lambda call: (call.function, call.owner))
    ]
    store = service.datastore
    out["datastore"] = {
        "engine": store.engine,
        "kind": store.kind,
        "status": store.status,
        "because": store.because,
        **({"advice": msgspec.to_builtins(store.advice)} if store.advice else {}),
    }
    out["state"] = [msgspec.to_builtins(state) for state in service.state]
    out["folders"] = {
        path: msgspec.to_builtins(folder) for path, folder in sorted(service.folders.items())
    }
    if service.maturity:
        out["maturity"] = service.maturity
    empty: tuple[Any, ...] = ([], {}, "")
    keep = ("tables", "entry_points")
    return {key: value for key, value in out.items() if key in keep or value not in empty}


def _dump(content: dict[str, Any]) -> str:
    from io import StringIO

    yaml = YAML()
    yaml.width = 100
    yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()

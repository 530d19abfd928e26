"""Commands: click's own, Flask's `app.cli` and AppGroup, and Flask-Script's managers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine
from migrator.model.program import EntryPoint

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_MAKER = "click:decorator"
_COMMAND = "click:command"
_FLASK_CLI = "click:cli"
_GROUPS = frozenset({"AppGroup", "FlaskGroup", "Group", "MultiCommand"})
_MANAGER = "manager"
"""The kind of a group of Flask-Script: its commands are named as their functions are."""


class Click(Framework):
    """The plug-in: a command is an entry point, named with the groups that it stands in."""

    name = "click"
    externals = ("click", "flask.cli", "flask_script")

    def __init__(self) -> None:
        self._commands: dict[int, CallSite] = {}
        self._parents: dict[int, set[int]] = {}
        self._renamed: dict[int, str] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.EXTERNAL:
            last = view.name.rsplit(".", 1)[-1]
            if last in {"command", "group"}:
                return self._decorator(engine, site, -1, last)
            if last in _GROUPS:
                name = site.text(0, "name") or ""
                value = engine.values.opaque(_COMMAND, -1, name, "group", site.key)
                self._commands[value] = site
                return (value,)
            if view.name == "flask_script.Manager":
                value = engine.values.opaque(_COMMAND, -1, "", _MANAGER, site.key)
                self._commands[value] = site
                return (value,)
            if last in {"with_appcontext", "pass_context", "pass_obj"}:
                return site.argument(0)
            return None
        if view.kind == Kind.OPAQUE and view.name == _MAKER:
            return self._decorated(engine, site, callee)
        if view.kind == Kind.OPAQUE and view.name == _COMMAND:
            return self._run(engine, site, callee)
        if view.kind != Kind.BOUND:
            return None
        receiver = engine.values.view(view.owner)
        method = engine.values.name(view.function).rsplit(".", 1)[-1]
        if receiver.name not in (_COMMAND, _FLASK_CLI):
            return None
        managed = receiver.name == _COMMAND and receiver.parts[2] == _MANAGER
        if method in {"command", "group"} or (managed and method == "option"):
            return self._decorator(engine, site, view.owner, method)
        if method == "add_command":
            for command in site.argument(int(managed), "cmd"):
                if engine.values.name(command) == _COMMAND:
                    self._parents.setdefault(command, set()).add(view.owner)
                    renamed = site.text(int(not managed), "name")
                    if renamed:
                        self._renamed[command] = renamed
            return ()
        if method == "callback":
            return self._run(engine, site, view.owner)
        return None

    def _decorator(self, engine: Engine, site: CallSite, parent: int, kind: str) -> Iterable[int]:
        functions = [each for each in site.argument(0) if engine.values.kind(each) == Kind.FUNCTION]
        name = "" if kind == "option" else site.text(0, "name") or ""
        maker = engine.values.opaque(_MAKER, parent, name, kind, site.key)
        if functions or site.decorates:
            return [self._command(engine, site, maker, each) for each in functions]
        return (maker,)

    def _decorated(self, engine: Engine, site: CallSite, maker: int) -> list[int]:
        return [
            self._command(engine, site, maker, function)
            for function in site.argument(0)
            if engine.values.kind(function) in (Kind.FUNCTION, Kind.BOUND, Kind.PARTIAL)
        ]

    def _command(self, engine: Engine, site: CallSite, maker: int, function: int) -> int:
        parent, name, kind, _ = engine.values.view(maker).parts
        value = engine.values.opaque(_COMMAND, function, name, kind, "")
        self.seen = True
        self._commands[value] = site
        if isinstance(parent, int) and parent >= 0:
            self._parents.setdefault(value, set()).add(parent)
        engine.invoke(site, function, [], edge=False)
        return value

    def _run(self, engine: Engine, site: CallSite, command: int) -> Iterable[int]:
        function = engine.values.view(command).parts[0]
        if isinstance(function, int) and function >= 0:
            engine.invoke(site, function, [])
        return ()

    def _path(self, engine: Engine, command: int, depth: int = 0) -> str:
        view = engine.values.view(command)
        if view.name != _COMMAND or depth > 5:
            return ""
        function, name = view.parts[0], str(view.parts[1])
        parents = sorted(self._parents.get(command, ()))
        if not name and isinstance(function, int) and function >= 0:
            name = engine.name_of(function).rsplit(".", 1)[-1]
            if (_MANAGER,) not in {engine.values.view(each).parts[2:3] for each in parents}:
                name = name.lower().replace("_", "-")
        name = self._renamed.get(command, name)
        for parent in parents:
            outer = self._path(engine, parent, depth + 1)
            if outer:
                return f"{outer} {name}"
        return name

    def finish(self, analysis: Analysis) -> None:
        engine = analysis.engine
        assert engine is not None
        for command, site in self._commands.items():
            function, _, kind, _ = engine.values.view(command).parts
            if not isinstance(function, int) or function < 0 or kind == "group":
                continue
            path = self._path(engine, command)
            name = f"command:{path}"
            if name in analysis.program.entry_points:
                name = f"command:{engine.name_of(function)}"
            file, line, _ = engine.file_of(function)
            analysis.program.entry_points[name] = EntryPoint(
                name=name,
                kind="command",
                handler=engine.name_of(function),
                file=file or site.file,
                line=line or site.line,
                framework="click",
                trigger=path,
            )
            analysis.handlers[name] = (function,)

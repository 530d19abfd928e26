"""`.sql` files of the project that code reads: what it executes is the text that stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from migrator.graph.framework import Framework
from migrator.graph.frameworks.project_files import project_files
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

_FILE = "sql_files:file"
_SUFFIX = ".sql"
_OPENS = frozenset({"open", "open_resource", "open_instance_resource", "open_text", "open_binary"})
_READS = frozenset({"read", "read_text", "read_bytes", "decode", "get_data"})
_LONGEST = 200_000


class SqlFiles(Framework):
    """The plug-in: a path that ends in `.sql`, opened and read, gives the file's text."""

    name = "sql_files"
    externals = (
        "builtins.open", "builtins.str", "io.open", "codecs.open", "pathlib", "os.path",
        "importlib", "importlib_resources", "pkgutil.get_data", "sqlparse.split", "flask:app",
        "flask:blueprint",
    )  # fmt: skip

    def __init__(self, root: Path | None) -> None:
        self._root = root
        self._files: dict[str, str] | None = None

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        name = engine.values.name(view.function) if view.kind == Kind.BOUND else view.name
        last = name.rsplit(".", 1)[-1]
        if view.kind == Kind.BOUND and engine.values.name(view.owner) == _FILE:
            return self._of_file(engine, view.owner, last)
        if view.kind == Kind.BOUND and last in {*_READS, "split", "open"}:
            text = engine.values.text(view.owner)
            if text is not None:
                return self._of_text(engine, site, text, last)
        if last in _OPENS or last in {"get_data", "read_text", "read_binary"}:
            found = self._opened(engine, site)
            if found and last not in _OPENS:
                names = [str(engine.values.view(each).parts[0]) for each in found]
                return [self._text(engine, each) for each in names]
            return found or None
        if last in {"join", "joinpath", "Path", "PurePath"} and "str" not in name.split("."):
            return self._path(engine, site) or None
        if name == "sqlparse.split":
            return [engine.container("builtins.list", site, *site.argument(0))]
        return None

    def _opened(self, engine: Engine, site: CallSite) -> list[int]:
        return [
            engine.values.opaque(_FILE, text)
            for position in range(site.positional)
            for text in site.texts(position)
            if text.endswith(_SUFFIX)
        ]

    def _path(self, engine: Engine, site: CallSite) -> list[int]:
        """`os.path.join(folder, "schema.sql")`, `Path("schema.sql")`: as far as it is known."""
        texts = site.texts(site.positional - 1) if site.positional else ()
        return [engine.values.string(text) for text in texts if text.endswith(_SUFFIX)]

    def _of_file(self, engine: Engine, file: int, method: str) -> Iterable[int] | None:
        name = str(engine.values.view(file).parts[0])
        return (self._text(engine, name),) if method in _READS else None

    def _of_text(
        self, engine: Engine, site: CallSite, text: str, method: str
    ) -> Iterable[int] | None:
        if text.endswith(_SUFFIX) and method == "open":
            return (engine.values.opaque(_FILE, text),)
        if text.endswith(_SUFFIX) and method in _READS:
            return (self._text(engine, text),)
        if method == "decode":
            return (engine.values.string(text),)
        if method == "split" and ";" in site.texts(0):
            return (engine.container("builtins.list", site, engine.values.string(text)),)
        return None

    def _text(self, engine: Engine, name: str) -> int:
        """The text of the file of the project whose path ends as `name` does."""
        if self._files is None:
            self._files = dict(self._found())
        wanted = name.replace("\\", "/").lstrip("./")
        matching = [text for path, text in self._files.items() if f"/{path}".endswith(f"/{wanted}")]
        if not matching:
            last = wanted.rsplit("/", 1)[-1]
            matching = [
                text for path, text in self._files.items() if path.rsplit("/", 1)[-1] == last
            ]
        return engine.values.string(matching[0] if len(matching) == 1 else "")

    def _found(self) -> Iterable[tuple[str, str]]:
        if self._root is None:
            return
        for path in project_files(self._root, f"*{_SUFFIX}"):
            if path.stat().st_size <= _LONGEST:
                name = path.relative_to(self._root).as_posix()
                yield name, path.read_text(encoding="utf-8", errors="replace")

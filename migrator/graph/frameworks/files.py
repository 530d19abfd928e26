"""Files on the local disk that the code writes and reads, and folders that it makes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.analysis import FileUse
from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_WRITES = frozenset(
    {
        "write_text", "write_bytes", "unlink", "touch", "mkdir", "rmdir", "symlink_to",
        "copy", "copy2", "copyfile", "copytree", "move", "rmtree", "make_archive", "copyfileobj",
        "remove", "makedirs", "rename", "replace", "truncate", "save", "to_csv", "to_excel",
    }
)  # fmt: skip
_READS = frozenset(
    {
        "read_text", "read_bytes", "exists", "is_file", "stat", "iterdir", "glob", "rglob",
        "listdir", "scandir", "send_file", "send_from_directory", "walk",
    }
)  # fmt: skip
_FOLDERS_ONLY = frozenset({"mkdir", "makedirs"})
_PATHS = ("pathlib", "shutil", "os", "builtins.open", "io.open", "codecs.open", "gzip", "zipfile")
_UPLOADS = ("werkzeug", "flask:request", "PIL", "flask.request")


class Files(Framework):
    """The plug-in: collects uses; `migrator.graph.effects.state` tells what they mean."""

    name = "files"
    externals = (*_PATHS, *_UPLOADS, "flask.send_file", "flask.send_from_directory")

    def __init__(self) -> None:
        self._uses: dict[FileUse, None] = {}

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        if view.kind == Kind.BOUND:
            name = engine.values.name(view.function)
        elif view.kind == Kind.EXTERNAL:
            name = view.name
        else:
            return None
        last = name.rsplit(".", 1)[-1]
        if name.startswith("os.path") or (last == "replace" and site.positional > 1):
            return None
        if last == "open" or last in {"ZipFile", "GzipFile"}:
            method = name.startswith("pathlib")
            mode = site.text(0 if method else 1, "mode") or "r"
            kind = "write" if set(mode) & set("wax+") else "read"
            self._use(site, kind, name, "" if method else site.text(0, "file") or "")
        elif last in _WRITES and last not in _FOLDERS_ONLY:
            if last != "save" or name.startswith(_UPLOADS):
                self._use(site, "write", name)
        elif last in _READS:
            self._use(site, "read", name)
        return None

    def _use(self, site: CallSite, kind: str, how: str, text: str = "") -> None:
        self._uses[FileUse(kind, site.function, site.file, site.line, how, text)] = None

    def finish(self, analysis: Analysis) -> None:
        analysis.file_uses += self._uses

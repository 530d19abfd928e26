"""Extensions that keep files for the application: pictures that they draw, full-text indexes.

What others write is seen when the monolith runs, as files that its copy did not have before
(`operation/tree.py`); who writes it is then for people to say in the plan.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrator.graph.analysis import FileUse, Index
from migrator.graph.framework import Framework
from migrator.graph.linking.values import Kind
from migrator.graph.protocol import CallSite, Engine

if TYPE_CHECKING:
    from migrator.graph.analysis import Analysis

_WRITES = {
    "flask_avatars.Identicon.generate": "AVATARS_SAVE_PATH",
    "flask_avatars.Avatars.save_avatar": "AVATARS_SAVE_PATH",
    "flask_avatars.Avatars.crop_avatar": "AVATARS_SAVE_PATH",
}
"""What writes files, and the setting that says where."""

_MODEL = "flask_whooshee.Whooshee.register_model"
_WHOOSHEER = "flask_whooshee.Whooshee.register_whoosheer"


class FileExtensions(Framework):
    """The plug-in: file uses and indexes, of which `graph.effects.kept_files` makes findings."""

    name = "file_extensions"
    externals = ("flask_avatars", "flask_whooshee")

    def __init__(self) -> None:
        self._uses: dict[FileUse, None] = {}
        self._indexed: dict[tuple[str, str, int], tuple[str, tuple[int, ...]]] = {}
        """Name, file and line of an index to its extension and the classes that it is of."""

    def call(self, engine: Engine, site: CallSite, callee: int) -> Iterable[int] | None:
        view = engine.values.view(callee)
        name = engine.values.name(view.function) if view.kind == Kind.BOUND else view.name
        if name in _WRITES:
            use = FileUse("write", site.function, site.file, site.line, name, "", _WRITES[name])
            self._uses[use] = None
        if name in (_MODEL, _WHOOSHEER):
            for class_ in site.argument(0):
                if engine.values.kind(class_) == Kind.CLASS:
                    self._indexes(engine, class_, whole=name == _MODEL)
        return None

    def _indexes(self, engine: Engine, class_: int, *, whole: bool) -> None:
        seen = engine.class_view(class_)
        if whole:
            self._indexed["", seen.file, seen.line] = ("flask_whooshee", (class_,))
            return
        models = engine.class_attribute(class_, "models")
        held = tuple(
            model
            for value in (engine.points_to(models) if models is not None else ())
            if engine.values.kind(value) == Kind.CONTAINER
            for model in engine.points_to(engine.element(value))
        )
        named = engine.class_attribute(class_, "index_subdir")
        texts = [engine.values.text(v) for v in engine.points_to(named)] if named else []
        folder = next(filter(None, texts), _snake(seen.name.rpartition(".")[2]))
        self._indexed[folder, seen.file, seen.line] = ("flask_whooshee", held)

    def finish(self, analysis: Analysis) -> None:
        analysis.file_uses += self._uses
        if analysis.mapping is None or analysis.engine is None:
            return
        for (name, file, line), (extension, classes) in self._indexed.items():
            models = [analysis.engine.name_of(class_) for class_ in classes]
            tables = sorted({t for m in models for t in analysis.mapping.own_tables(m)})
            if tables:
                analysis.indexes.append(
                    Index(
                        extension=extension,
                        name=name or tables[0],
                        setting="WHOOSHEE_DIR",
                        folder="whooshee",
                        tables=tuple(tables),
                        searches=("whooshee_search", "whoosh_search"),
                        file=file,
                        line=line,
                    )
                )


def _snake(name: str) -> str:
    """As the extension names the folder of a whoosheer."""
    first = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", first).lower()

"""The import hook: rewrites the project's modules, patches libraries when they are imported."""

from __future__ import annotations

import ast
import hashlib
import os
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any, Callable

from . import tally
from .rewriting import rewrite

Patch = Callable[[ModuleType], None]

_FOREIGN = frozenset(
    {"site-packages", "dist-packages", "node_modules", ".migrator", ".tox", ".nox", ".venv"}
)


class Project:
    """Which files are the project's own: below its root, outside of virtual environments."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._own_folders: dict[str, bool] = {root: True}

    def relative(self, path: str) -> str:
        """The path from the root with `/`, or nothing for a file that is not the project's."""
        real = os.path.realpath(path)
        folder = os.path.dirname(real)
        if not self._own(folder):
            return ""
        return os.path.relpath(real, self._root).replace(os.sep, "/")

    def _own(self, folder: str) -> bool:
        known = self._own_folders.get(folder)
        if known is None:
            above, name = os.path.split(folder)
            known = (
                above != folder
                and name not in _FOREIGN
                and self._own(above)
                and not os.path.exists(os.path.join(folder, "pyvenv.cfg"))
            )
            self._own_folders[folder] = known
        return known


class Finder:
    """Stands first in `sys.meta_path`, asks those behind it, and exchanges loaders."""

    def __init__(self, root: str, patches: dict[str, Patch]) -> None:
        self._project = Project(root)
        self._patches = dict(patches)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """What the next finder that knows `fullname` says, with our loader where it matters."""
        spec = self._next(fullname, path, target)
        if spec is None or spec.loader is None:
            return spec
        try:
            if fullname in self._patches:
                _run_after(spec.loader, fullname, self._patches)
            elif type(spec.loader) is SourceFileLoader and spec.origin:
                file = self._project.relative(spec.origin)
                if file:
                    spec.loader = Loader(spec.loader.name, spec.loader.path, file)
        except Exception:
            tally.failed("import")
        return spec

    def _next(self, fullname: str, path: Any, target: Any) -> ModuleSpec | None:
        behind = False
        for finder in list(sys.meta_path):
            if finder is self:
                behind = True
            elif behind:
                find = getattr(finder, "find_spec", None)
                spec: ModuleSpec | None = find(fullname, path, target) if find else None
                if spec is not None:
                    return spec
        return None

    def patch_loaded(self) -> None:
        """Patch what was imported before us."""
        for name in list(self._patches):
            if name in sys.modules:
                _patch(sys.modules[name], self._patches.pop(name))


def _run_after(loader: Any, fullname: str, patches: dict[str, Patch]) -> None:
    """Let the loader of this one module patch it as soon as it was executed."""
    execute = loader.exec_module

    def exec_module(module: ModuleType) -> None:
        execute(module)
        patch = patches.pop(fullname, None)
        if patch is not None:
            _patch(module, patch)

    loader.exec_module = exec_module


def _patch(module: ModuleType, patch: Patch) -> None:
    try:
        patch(module)
    except Exception:
        tally.failed(module.__name__)


class Loader(SourceFileLoader):
    """Compiles a module of the project with what counts its calls and branches written in."""

    def __init__(self, fullname: str, path: str, file: str) -> None:
        super().__init__(fullname, path)
        self._file = file

    def get_code(self, fullname: str) -> CodeType | None:
        """The rewritten module's code; the ordinary one if it cannot be rewritten."""
        try:
            source = self.get_data(self.path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(source, self.path)
                rewrite(tree, tally.Numbers(self._file, hashlib.sha1(source).hexdigest()[:16]))
                code: CodeType = compile(tree, self.path, "exec", dont_inherit=True)
            return code
        except Exception:
            return super().get_code(fullname)

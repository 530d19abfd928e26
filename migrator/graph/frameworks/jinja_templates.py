"""The template files of a project, and their syntax trees."""

from __future__ import annotations

from pathlib import Path

import jinja2
from jinja2 import nodes

from migrator.graph.frameworks.project_files import project_files

_FOLDER = "templates"


class Templates:
    """The template files of a project and their syntax trees."""

    def __init__(self, root: Path | None) -> None:
        self._environment = jinja2.Environment(
            extensions=["jinja2.ext.do", "jinja2.ext.i18n", "jinja2.ext.loopcontrols"],
            autoescape=True,
        )
        self._root = root
        self._files: dict[str, list[Path]] | None = None
        self._trees: dict[str, list[nodes.Template]] = {}

    def files(self) -> dict[str, list[Path]]:
        """Template names to files: those whose folders are nearest to the root.

        Of several equally near (themes) any may be chosen at run time.
        """
        if self._files is None:
            self._files = {}
            depths: dict[str, int] = {}
            folders = project_files(self._root, _FOLDER) if self._root is not None else ()
            found = [folder for folder in folders if folder.is_dir()]
            for folder in sorted(found, key=lambda each: (len(each.parts), str(each))):
                for file in sorted(folder.rglob("*")):
                    name = file.relative_to(folder).as_posix()
                    depth = len(folder.parts)
                    if file.is_file() and depths.setdefault(name, depth) == depth:
                        self._files.setdefault(name, []).append(file)
        return self._files

    def named(self, name: str) -> list[Path]:
        """The files that a name may mean.

        `PREFIX/NAME` may also be NAME below a folder PREFIX, as with a `jinja2.PrefixLoader`, and
        NAME the only one below a folder of templates that a blueprint has for itself.
        """
        known = self.files().get(name)
        if known is not None:
            return known
        prefix, slash, rest = name.partition("/")
        found = [file for file in self.files().get(rest, ()) if slash and prefix in file.parts]
        if not found:
            inner = [each for each in self.files() if each.endswith(f"/{name}")]
            found = self.files()[inner[0]] if len(inner) == 1 else []
        return found

    def trees(self, name: str) -> list[nodes.Template]:
        """The syntax trees of a template; none if it is not there or does not parse."""
        if name not in self._trees:
            found = self._trees[name] = []
            for file in self.named(name):
                try:
                    tree = self._environment.parse(file.read_text(encoding="utf-8"))
                except (OSError, UnicodeDecodeError, jinja2.TemplateSyntaxError):
                    continue
                _drop_text(tree)
                found.append(tree)
        return self._trees[name]


def _drop_text(tree: nodes.Template) -> None:
    """Leave out what is printed as it stands: it does nothing, and is most of a template."""
    for output in tree.find_all(nodes.Output):
        output.nodes = [each for each in output.nodes if not isinstance(each, nodes.TemplateData)]

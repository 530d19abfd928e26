"""The Jinja environment for what we write, over the folder that holds its templates.

Templates lie at the top of a checkout, laid out as the files that they become, and inside the
package (`migrator/_templates`) once it is installed from a wheel.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

import migrator
from migrator.model.errors import InternalError


@cache
def template_folder() -> Path:
    """The folder of templates, of a wheel or of a checkout; raises InternalError without one."""
    package = Path(migrator.__file__).resolve().parent
    for folder in (package / "_templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise InternalError(f"no templates beside {package}", hint="install the package again")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    environment.filters["variable"] = variable_name
    environment.filters["placeholder"] = lambda name: "${" + name + "}"
    environment.filters["quoted"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


def variable_name(name: str) -> str:
    """`name` as part of an environment variable's name."""
    return re.sub(r"\W", "_", name).upper()


def render(template: str, **values: Any) -> str:
    """The text of a template; a value that is missing is an error."""
    return _environment().get_template(template).render(**values)

"""What an application imports, as the distributions that bring it: where no requirements are."""

from __future__ import annotations

import re
import sys

from migrator.operation.guess.project import Project

_CALLED = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "decouple": "python-decouple",
    "dns": "dnspython",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "git": "gitpython",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "magic": "python-magic",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "telegram": "python-telegram-bot",
    "yaml": "pyyaml",
}
"""Distributions that are called otherwise than what they bring."""

_WANTED_BY = {
    "wtforms.validators.Email": "email-validator",
    "pydantic.EmailStr": "email-validator",
}
"""What is imported, to the distribution that it asks for when it is used."""


def imported_distributions(project: Project) -> list[str]:
    """Names for `pip install`, sorted, of all that the application's own modules import.

    A module that no distribution is known for is taken to have its distribution's name.
    """
    own = {name.partition(".")[0] for name in project.modules}
    own |= {part for file in project.files for part in file.split("/")[:-1]}
    imported = {dotted for module in project.own for dotted in module.imports.values()}
    tops = {dotted.partition(".")[0] for dotted in imported}
    foreign = tops - own - set(sys.stdlib_module_names) - {""}
    found = {_CALLED.get(name) or re.sub("_+", "-", name.strip("_")).lower() for name in foreign}
    return sorted(found | {_WANTED_BY[dotted] for dotted in imported & _WANTED_BY.keys()})

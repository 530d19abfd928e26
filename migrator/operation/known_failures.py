"""What known signs in the log of an application that fails mean, and what to do about them."""

from __future__ import annotations

import re
from pathlib import Path

_EXPLANATIONS: tuple[tuple[str, str], ...] = (
    (
        r"No module named '?pkg_resources",
        'add "setuptools<81" to `install`: what is pinned needs pkg_resources',
    ),
    (
        r"cannot import name '(?:escape|Markup|soft_unicode)' from '(?:jinja2|markupsafe)'"
        r"|cannot import name 'url_(?:quote|decode)"
        r"|cannot import name '(?:json|_request_ctx_stack|_app_ctx_stack)' from",
        "pins are missing: something newer than the application was installed; pin Flask, Werkzeug,"
        " Jinja2 and MarkupSafe to versions of one time in `install`",
    ),
    (
        r"code\(\) takes at least \d+ arguments|\"type_ignores\" missing from Module",
        "the pinned Werkzeug is older than this Python: pin 0.15.5 or later in `install`",
    ),
    (
        r"module 'collections' has no attribute|cannot import name '\w+' from 'collections'",
        "what is pinned is older than this Python: set `python` to 3.9 or earlier, or pin later"
        " releases in `install`",
    ),
    (
        r"(?P<name>\S+) is None, no WSGI application",
        "{name} stays None as it is imported here: set the variable in"
        " [tool.migrator.run.environment] that makes the module fill it, or name the function that"
        ' makes the application: application = "module:function()"',
    ),
    (r"No module named '?(?P<name>[\w.]+)", "{name} is not installed: add it to `install`"),
    (
        r"KeyError: '(?P<name>[A-Z][A-Z0-9_]+)'",
        "the application reads {name}: set it in [tool.migrator.run.environment]",
    ),
    (
        r"(?:psycopg2|asyncpg|pymysql|MySQLdb)\S*Error|could not connect to server",
        "it connects to a database server: is `database` the variable that it reads?",
    ),
    (r"no such table: (?P<name>\w+)", "table {name} is missing: correct `migrate`"),
    (
        r"Error: No such command '(?P<name>[\w-]+)'",
        "there is no command {name}: correct `migrate` or `seed`, or FLASK_APP in `environment`",
    ),
    (
        r"Could not (?:locate|import) .*?(?:Flask application|FLASK_APP)",
        "set FLASK_APP in [tool.migrator.run.environment]",
    ),
    (
        r"redis\.exceptions\.ConnectionError|kombu\.exceptions\.OperationalError",
        "it needs a broker: leave that process out of `processes`, or start one as a companion",
    ),
    (r"(?:can't|cannot) open file '(?P<name>[^']+)'", "there is no file {name}"),
    (r"(?P<name>[\w.-]+): (?:command )?not found", "{name} is not installed: add it to `install`"),
    (r"Address already in use", "a process listens on a fixed port: use {{port:NAME}} for it"),
)


def explain(log: str, root: Path | None = None) -> str:
    """What the first known sign in a log means and what to do; empty when there is none.

    What git leaves out of the project in `root` is missing for another reason.
    """
    missing = re.search(r"No module named '?([\w.]+)", log)
    if missing and root is not None:
        file = missing[1].replace(".", "/") + ".py"
        try:
            ignored = (root / ".gitignore").read_text(encoding="utf-8", errors="replace")
        except OSError:
            ignored = ""
        if any(line.strip().lstrip("/") == file for line in ignored.splitlines()):
            return (
                f"{file} is left out of git (.gitignore names it): put it there, as whoever runs"
                " the application has it"
            )
    for pattern, meaning in _EXPLANATIONS:
        found = re.search(pattern, log)
        if found:
            return meaning.format(**found.groupdict())
    return ""

"""What can be split: the web frameworks and object mappers that are read, and those that are not.

What is not read would be lost without a word, since its routes and tables are not in the graph.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from migrator.model.errors import Place, Refusals, Refused
from migrator.model.program import Program

SUPPORTED = {
    "web framework": ("Flask",),
    "object mapper": ("SQLAlchemy", "Flask-SQLAlchemy"),
}
"""By kind; the plug-ins are in `migrator.graph.frameworks`."""

_NOT_YET: Mapping[str, Mapping[str, str]] = {
    "web framework": {
        "aiohttp": "aiohttp",
        "bottle": "Bottle",
        "cherrypy": "CherryPy",
        "connexion": "Connexion",
        "django": "Django",
        "falcon": "Falcon",
        "fastapi": "FastAPI",
        "litestar": "Litestar",
        "pyramid": "Pyramid",
        "quart": "Quart",
        "sanic": "Sanic",
        "starlette": "Starlette",
        "tornado": "Tornado",
    },
    "object mapper": {
        "django": "Django",
        "mongoengine": "MongoEngine",
        "peewee": "Peewee",
        "pony": "Pony",
        "sqlmodel": "SQLModel",
        "tortoise": "Tortoise",
    },
}
"""Import name to the name that people use, of each kind."""

_NEXT = {
    "connexion": "its routes stand in an OpenAPI file, which is analysed, but not cut: register"
    " each of its operations in the code (`app.add_url_rule(path, view_func=function,"
    " methods=[...])`)",
}
"""By import name what can be done all the same."""

_ANALYSED = ("connexion",)
"""Web frameworks whose routes are known, and whose applications are not split for all that."""


def require_supported(program: Program) -> None:
    """Raise Refusals where routes or tables are those of frameworks that are not read yet.

    An application with routes of a supported framework may import others beside it (an HTTP
    client, a server), and one with tables of a supported mapper, too.
    """
    routed = any(entry.kind == "route" for entry in program.entry_points.values())
    problems: list[Refused] = []
    analysed = [name for name in _ANALYSED if name in program.frameworks]
    if analysed or not routed:
        problems += _refused(program, "web framework", analysed)
    if not program.tables and not problems:
        problems += _refused(program, "object mapper")
    if problems:
        raise Refusals(list(problems))


def supported() -> str:
    """The names of everything that is read, in a sentence."""
    return "; ".join(f"{kind}s: {', '.join(names)}" for kind, names in SUPPORTED.items())


def unread(imported: str) -> str:
    """What to say of a web framework that is not read, by its import name; empty: none of them."""
    name = _NOT_YET["web framework"].get(imported)
    return f"applications of {name} are not split yet; {_hint(imported)}" if name else ""


def _hint(imported: str) -> str:
    return "; ".join(filter(None, [_NEXT.get(imported), f"supported are {supported()}"]))


def _refused(program: Program, kind: str, only: Collection[str] = ()) -> list[Refused]:
    refused = []
    for imported, name in _NOT_YET[kind].items():
        modules = program.distributions.get(imported, [])
        if modules and (not only or imported in only):
            file = program.modules.get(modules[0], modules[0])
            refused.append(
                Refused(
                    f"applications of {name} are not split yet",
                    place=Place(file),
                    hint=_hint(imported),
                )
            )
    return refused

"""Writes what an application has registered as JSON: rules, hooks, error handlers, filters, models.

One probe for both sides: the monolith is asked with it when services are generated, and each
service when it is tested. Each rule and class has the place of its code; a page that describes the
whole API also what it says.

Runs in the application's own environment (Python 3.8 on), in the folder of its sources, with
nothing but the standard library. Arguments: the file to write to, and `package.module:attribute`;
without the latter the application of the service that this is.
"""

from __future__ import annotations

import functools
import gc
import importlib
import inspect
import json
import os
import sys
import types
import weakref

PRIVATE = ".migrator"
ADDRESS = "http://description.invalid"
"""Stands in what is written for the address at which the application is asked."""

FUNCTIONS_OF_ALL = {
    "before_request": "before_request_funcs",
    "after_request": "after_request_funcs",
    "teardown_request": "teardown_request_funcs",
    "context_processor": "template_context_processors",
    "url_value_preprocessor": "url_value_preprocessors",
    "url_defaults": "url_default_functions",
}
"""Kinds of hooks to the attribute of an application that has them by blueprint, None for all."""


def code_of(view):
    """The function or class that a person wrote for a view."""
    while True:
        inner = getattr(view, "view_class", None) or getattr(view, "__wrapped__", None)
        if inner is None and isinstance(view, functools.partial):
            inner = view.func
        if inner is None and inspect.ismethod(view):
            owner = view.__self__
            inner = owner if inspect.isclass(owner) else type(owner)
        if inner is None:
            return view
        view = inner


def place_of(view):
    """File and line; an empty name where there is no source."""
    try:
        return inspect.getsourcefile(view) or "", inspect.getsourcelines(view)[1]
    except (TypeError, OSError):
        return "", 0


def is_own(file):
    """Whether a file is the project's, in whose folder this runs: its environment is not."""
    here = os.path.join(os.getcwd(), "")
    return file.startswith(here) and os.path.join(here, PRIVATE, "") not in file


def dotted(function):
    """`module.outer.inner` of a function."""
    return "%s.%s" % (function.__module__, function.__qualname__.replace(".<locals>", ""))


def description(application, rule):
    """The OpenAPI or Swagger document that a page without parameters answers with; else nothing."""
    if rule.arguments or "GET" not in (rule.methods or ()):
        return ""
    try:
        answer = application.test_client().get(rule.rule, base_url=ADDRESS)
        said = json.loads(answer.get_data(as_text=True))
    except Exception:
        # A page may do anything but answer, on a database that is empty: then it tells nothing.
        return ""
    known = isinstance(said, dict) and {"openapi", "swagger"} & set(said) and "paths" in said
    return json.dumps(said, indent=2, ensure_ascii=False) if known else ""


def url_rules(application):
    """The rules of a Flask application, each with the code that answers it."""
    found = []
    url_map = getattr(application, "url_map", None)
    for rule in url_map.iter_rules() if url_map is not None else ():
        view = application.view_functions.get(rule.endpoint)
        file, line = place_of(code_of(view))
        told = "" if is_own(file) else description(application, rule)
        found.append(
            {
                "rule": rule.rule,
                "endpoint": rule.endpoint,
                "methods": sorted(rule.methods or ()),
                "file": file,
                "line": line,
                "description": told,
            }
        )
    return found


def mapped_classes():
    """The classes that SQLAlchemy has mapped to tables, whoever declared them."""
    orm = sys.modules.get("sqlalchemy.orm")
    mapper = getattr(orm, "Mapper", None) or getattr(orm, "mapper", None)
    try:
        configured = mapper is not None
        if configured:
            orm.configure_mappers()
    except Exception:
        configured = False
    found = []
    # Registries differ between versions, and there may be several: mappers are what they hold.
    # `type()`, since `isinstance` would make a proxy look for an object that is not there yet.
    for each in gc.get_objects() if mapper is not None else ():
        if type(each) is not mapper:
            continue
        table = getattr(each.local_table, "fullname", None)
        if table:
            file, line = place_of(each.class_)
            found.append(
                {
                    "name": each.class_.__module__ + "." + each.class_.__qualname__,
                    "table": table,
                    "file": file,
                    "line": line,
                    "relationships": relationships(each) if configured else [],
                }
            )
    return sorted(found, key=lambda each: each["name"])


def relationships(mapper):
    """`name(cascade,cascade)` of those that a class has itself."""
    return sorted(
        "%s(%s)" % (each.key, ",".join(sorted(each.cascade)))
        for each in mapper.relationships
        if each.parent is mapper
    )


def tables():
    """The tables of all metadata, those without a class too."""
    metadata = getattr(sys.modules.get("sqlalchemy"), "MetaData", None)
    found = set()
    for each in gc.get_objects() if metadata is not None else ():
        if type(each) is metadata:
            found.update(each.tables)
    return sorted(found)


def held_functions():
    """The project's functions that something else than the namespace of a module holds on to."""
    gc.collect()
    namespaces = {id(vars(module)) for module in list(sys.modules.values()) if module is not None}
    objects = gc.get_objects()
    functions = {
        id(each): each
        for each in objects
        if type(each) is types.FunctionType and is_own(each.__code__.co_filename)
    }
    held = {key for key, each in functions.items() if weakref.getweakrefs(each)}
    for holder in objects:
        if id(holder) not in namespaces and type(holder) is not types.FrameType:
            held.update(id(each) for each in gc.get_referents(holder) if id(each) in functions)
    return sorted({dotted(functions[key]) for key in held})


def application_wide(application):
    """`KIND FUNCTION` of the project's hooks, error handlers and filters for every request."""
    found = set()

    def add(kind, function):
        # By its type, since a proxy (`request` in templates) is nothing outside of a request.
        if type(function) not in (types.FunctionType, types.MethodType, functools.partial):
            return
        code = code_of(function)
        if type(code) is types.FunctionType and is_own(code.__code__.co_filename):
            found.add("%s %s" % (kind, dotted(code)))

    for kind, attribute in FUNCTIONS_OF_ALL.items():
        for function in (getattr(application, attribute, None) or {}).get(None) or ():
            add(kind, function)
    for function in getattr(application, "teardown_appcontext_funcs", ()):
        add("teardown_appcontext", function)
    for code, handlers in (getattr(application, "error_handler_spec", {}).get(None) or {}).items():
        for error, function in handlers.items() if isinstance(handlers, dict) else ():
            add("errorhandler %s" % (code or error.__name__), function)
    templates = getattr(application, "jinja_env", None)
    for kind in ("filters", "tests", "globals"):
        for name, function in (getattr(templates, kind, None) or {}).items():
            add("template %s %s" % (kind[:-1], name), function)
    return sorted(found)


def remember_random():
    """Every form in which random bytes that are drawn from now on may become a setting."""
    import base64
    import random
    import uuid

    drawn = set()
    urandom = os.urandom

    def remembering(size):
        found = urandom(size)
        drawn.update((found, found.hex(), base64.b64encode(found).decode()))
        drawn.add(base64.urlsafe_b64encode(found).rstrip(b"=").decode())
        if size == 16:
            identity = uuid.UUID(bytes=found, version=4)
            drawn.update((str(identity), identity.hex))
        return found

    os.urandom = random._urandom = remembering
    return drawn


def random_settings(application, drawn):
    """Names of settings that are other ones in each process: keys made of random bytes."""
    while not hasattr(application, "config") and hasattr(application, "wsgi_app"):
        application = application.wsgi_app
    settings = getattr(application, "config", None) or {}
    return sorted(
        name
        for name, value in settings.items()
        if isinstance(value, (bytes, str)) and len(value) > 7 and value in drawn
    )


def own_application():
    """The application as the web process of this service loads it."""
    from servicekit import frameworks
    from servicekit import sqlalchemy as database
    from servicekit.settings import settings

    database.install()
    return frameworks.glue().load(settings().manifest["application"]).app


def imported_application(target):
    """The application at `package.module:attribute`."""
    name, _, attribute = target.partition(":")
    module = importlib.import_module(name)
    application = eval("module." + attribute, {"module": module})
    if not callable(application):
        sys.exit("%s is %s, no WSGI application" % (target, repr(application)[:200]))
    return application


def main(output, *target):
    """Load the application and look."""
    drawn = remember_random()
    application = imported_application(*target) if target else own_application()
    registered = {
        "random_settings": random_settings(application, drawn),
        "rules": url_rules(application),
        "classes": mapped_classes(),
        "tables": tables(),
        "held": held_functions(),
        "application_wide": application_wide(application),
    }
    with open(output, "w", encoding="utf-8") as stream:
        json.dump(registered, stream)


if __name__ == "__main__":
    # The folder of this script is no place to import from: an application may be called as a
    # module that lies beside it.
    sys.path.pop(0)
    main(*sys.argv[1:])
    # Threads that the application started would keep this process.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)

"""How Python values travel between services: JSON, with a tag where JSON has no such type.

Entities (mapped objects) are left to `servicekit.entities`; what has no row here is refused with
its type and place rather than sent as something else.
"""

from __future__ import annotations

import base64
import collections.abc
import datetime
import decimal
import enum
import importlib
import io
import types
import uuid
from typing import Any, Callable, Dict, List, Tuple

from servicekit.errors import CannotCross

_PLAIN = (str, int, float, bool, type(None))


def dotted(thing: Any) -> str:
    """`module:Qualified.name` of a class or module-level function."""
    return "%s:%s" % (thing.__module__, thing.__qualname__)


def resolve(name: str) -> Any:
    """What `dotted` named, in this process."""
    module, _, qualname = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    return found


class Codec:
    """Encodes and decodes values; `entities` takes care of mapped objects."""

    def __init__(self, entities: Any) -> None:
        self._entities = entities

    def encode(self, value: Any, place: str) -> Any:
        """The JSON form of a value; `CannotCross` names `place` when it has none."""
        if type(value) in _PLAIN:
            return value
        if hasattr(type(value), "_get_current_object"):  # a context-local proxy
            name = _framework_proxy(value)
            if name:
                return {"$proxy": name}
            value = value._get_current_object()
            return self.encode(value, place)
        if type(value) is list:
            return [self.encode(v, "%s[%d]" % (place, i)) for i, v in enumerate(value)]
        if type(value) is dict:
            return self._dict(value, place)
        if self._entities.is_entity(value):
            return {"$entity": self._entities.encode(value, self, place)}
        for tag, (kinds, encode, _) in _TAGS.items():
            if isinstance(value, kinds):
                encoded = encode(self, value, place)
                if encoded is not _NOT_MINE:
                    return {"$" + tag: encoded}
        raise CannotCross(
            "%s is a %s, which cannot travel between services"
            % (place, type(value).__module__ + "." + type(value).__qualname__)
        )

    def _dict(self, value: Dict[Any, Any], place: str) -> Any:
        if all(type(k) is str and not k.startswith("$") for k in value):
            return {k: self.encode(v, "%s[%r]" % (place, k)) for k, v in value.items()}
        return {"$dict": self.pairs(value.items(), place)}

    def pairs(self, items: Any, place: str) -> List[Any]:
        """Encoded (key, value) pairs."""
        return [[self.encode(k, place), self.encode(v, "%s[%r]" % (place, k))] for k, v in items]

    def decode(self, form: Any) -> Any:
        """The value of a JSON form."""
        if type(form) is list:
            return [self.decode(each) for each in form]
        if type(form) is not dict:
            return form
        if len(form) == 1:
            tag, body = next(iter(form.items()))
            if tag == "$entity":
                return self._entities.decode(body, self)
            if tag == "$dict":
                return {_hashable(self.decode(k)): self.decode(v) for k, v in body}
            if tag.startswith("$"):
                return _TAGS[tag[1:]][2](self, body)
        return {key: self.decode(each) for key, each in form.items()}


_NOT_MINE = object()


def _framework_proxy(value: Any) -> str:
    """The name of a proxy that the owner has of its own: the request, the session, `g`."""
    import flask

    for name in ("request", "session", "g", "current_app"):
        if getattr(flask, name) is value:
            return "flask:" + name
    return ""


def _hashable(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _sequence(codec: Codec, value: Any, place: str) -> List[Any]:
    return [codec.encode(v, "%s[%d]" % (place, i)) for i, v in enumerate(value)]


def _tuple(codec: Codec, value: Any, place: str) -> Any:
    cls = None if type(value) is tuple else dotted(type(value))
    if cls is not None and not hasattr(value, "_fields"):
        return _NOT_MINE
    return [cls, _sequence(codec, value, place)]


def _make_tuple(codec: Codec, body: Any) -> Any:
    cls, items = body
    values = [codec.decode(each) for each in items]
    if cls is None:
        return tuple(values)
    try:
        made = resolve(cls)
    except AttributeError:  # SQLAlchemy's rows have no class that could be imported
        return tuple(values)
    return made(*values)


def _module_level(value: Any) -> Any:
    try:
        found = resolve(dotted(value))
    except (ImportError, AttributeError):
        return _NOT_MINE
    return dotted(value) if found is value else _NOT_MINE


def _exception(codec: Codec, value: BaseException, place: str) -> Any:
    state = {k: v for k, v in value.__dict__.items() if not k.startswith("_sa_")}
    cause = value.__cause__
    return {
        "class": dotted(type(value)),
        "args": _lossy(codec, list(value.args), place + ".args"),
        "state": _lossy(codec, state, place + ".__dict__"),
        "cause": None if cause is None else _exception(codec, cause, place + ".__cause__"),
    }


def _lossy(codec: Codec, value: Any, place: str) -> Any:
    """An exception must arrive even if something that it carries cannot travel."""
    try:
        return codec.encode(value, place)
    except CannotCross:
        if isinstance(value, dict):
            return {k: _lossy(codec, v, place) for k, v in value.items()}
        if isinstance(value, list):
            return [_lossy(codec, v, place) for v in value]
        return repr(value)


def _make_exception(codec: Codec, body: Dict[str, Any]) -> BaseException:
    cls = resolve(body["class"])
    args = codec.decode(body["args"])
    made = cls.__new__(cls, *args)
    made.args = tuple(args)
    made.__dict__.update(codec.decode(body["state"]))
    if body["cause"] is not None:
        try:
            made.__cause__ = _make_exception(codec, body["cause"])
        except (ImportError, AttributeError):
            made.__cause__ = None
    return made


def _file(codec: Codec, value: Any, place: str) -> Any:
    """An uploaded file (Werkzeug's FileStorage), or a binary stream: what is left to read of it."""
    stream = getattr(value, "stream", value)
    at = stream.tell() if stream.seekable() else None
    data = base64.b64encode(stream.read()).decode()
    if at is not None:
        stream.seek(at)
    if stream is value:
        return {"data": data}
    headers = [list(pair) for pair in value.headers.items()]
    return {"data": data, "name": value.name, "filename": value.filename, "headers": headers}


def _make_file(codec: Codec, body: Dict[str, Any]) -> Any:
    stream = io.BytesIO(base64.b64decode(body["data"]))
    if "filename" not in body:
        return stream
    from werkzeug.datastructures import FileStorage, Headers

    headers = Headers([tuple(pair) for pair in body["headers"]])
    return FileStorage(stream, body["filename"], body["name"], headers=headers)


def _multidict(codec: Codec, value: Any, place: str) -> Any:
    return [dotted(type(value)), [[k, codec.encode(v, place)] for k, v in value.items(multi=True)]]


def _make_multidict(codec: Codec, body: Any) -> Any:
    return resolve(body[0])([(k, codec.decode(v)) for k, v in body[1]])


def _response(codec: Codec, value: Any, place: str) -> Any:
    data = base64.b64encode(value.get_data()).decode()
    return {"status": value.status, "headers": [list(p) for p in value.headers], "data": data}


def _make_response(codec: Codec, body: Dict[str, Any]) -> Any:
    from flask import Response

    headers = [tuple(pair) for pair in body["headers"]]
    return Response(base64.b64decode(body["data"]), status=body["status"], headers=headers)


def _object(codec: Codec, value: Any, place: str) -> Any:
    """An object that is its `__dict__`, of a class that can be imported."""
    cls = type(value)
    plain = cls.__reduce_ex__ is object.__reduce_ex__ and cls.__reduce__ is object.__reduce__
    slots = any("__slots__" in base.__dict__ for base in cls.__mro__)
    if not plain or slots or not hasattr(value, "__dict__") or _module_level(cls) is _NOT_MINE:
        return _NOT_MINE
    if isinstance(value, (io.IOBase, types.ModuleType)) or hasattr(value, "_sa_class_manager"):
        return _NOT_MINE
    return [dotted(cls), codec.encode(dict(vars(value)), place)]


def _make_object(codec: Codec, body: Any) -> Any:
    cls = resolve(body[0])
    made = cls.__new__(cls)
    made.__dict__.update(codec.decode(body[1]))
    return made


class _Lazy:
    """Stands for classes of a library that may not be there."""

    def __init__(self, module: str, *names: str) -> None:
        self._module, self._names = module, names

    def kinds(self) -> Tuple[type, ...]:
        try:
            module = importlib.import_module(self._module)
        except ImportError:
            return ()
        return tuple(getattr(module, name) for name in self._names if hasattr(module, name))


_Row = Tuple[Any, Callable[[Codec, Any, str], Any], Callable[[Codec, Any], Any]]


def _rows() -> Dict[str, _Row]:
    datastructures = "werkzeug.datastructures"
    return {
        # Subclasses stand before what they derive from.
        "enum": (
            enum.Enum,
            lambda c, v, p: [dotted(type(v)), v.name],
            lambda c, b: resolve(b[0])[b[1]],
        ),
        "datetime": (
            datetime.datetime,
            lambda c, v, p: v.isoformat(),
            lambda c, b: datetime.datetime.fromisoformat(b),
        ),
        "date": (
            datetime.date,
            lambda c, v, p: v.isoformat(),
            lambda c, b: datetime.date.fromisoformat(b),
        ),
        "time": (
            datetime.time,
            lambda c, v, p: v.isoformat(),
            lambda c, b: datetime.time.fromisoformat(b),
        ),
        "timedelta": (
            datetime.timedelta,
            lambda c, v, p: [v.days, v.seconds, v.microseconds],
            lambda c, b: datetime.timedelta(*b),
        ),
        "decimal": (
            decimal.Decimal,
            lambda c, v, p: str(v),
            lambda c, b: decimal.Decimal(b),
        ),
        "uuid": (uuid.UUID, lambda c, v, p: str(v), lambda c, b: uuid.UUID(b)),
        "bytes": (
            (bytes, bytearray, memoryview),
            lambda c, v, p: base64.b64encode(bytes(v)).decode(),
            lambda c, b: base64.b64decode(b),
        ),
        "markup": (
            _Lazy("markupsafe", "Markup").kinds(),
            lambda c, v, p: str(v),
            lambda c, b: resolve("markupsafe:Markup")(b),
        ),
        "str": (str, lambda c, v, p: str(v), lambda c, b: b),
        "tuple": (tuple, _tuple, _make_tuple),
        "set": (set, _sequence, lambda c, b: {c.decode(v) for v in b}),
        "frozenset": (
            frozenset,
            _sequence,
            lambda c, b: frozenset(c.decode(v) for v in b),
        ),
        "multidict": (_Lazy(datastructures, "MultiDict").kinds(), _multidict, _make_multidict),
        "mapping": (
            collections.abc.Mapping,
            lambda c, v, p: c.pairs(v.items(), p),
            lambda c, b: {_hashable(c.decode(k)): c.decode(v) for k, v in b},
        ),
        "list": (list, _sequence, lambda c, b: [c.decode(v) for v in b]),
        "deque": (
            collections.deque,
            _sequence,
            lambda c, b: collections.deque(c.decode(v) for v in b),
        ),
        "exception": (Exception, _exception, _make_exception),
        "file": (
            (io.RawIOBase, io.BufferedIOBase) + _Lazy(datastructures, "FileStorage").kinds(),
            _file,
            _make_file,
        ),
        "response": (_Lazy("flask", "Response").kinds(), _response, _make_response),
        "proxy": ((), lambda c, v, p: _NOT_MINE, lambda c, b: resolve(b)),
        "class": (type, lambda c, v, p: _module_level(v), lambda c, b: resolve(b)),
        "function": (
            (types.FunctionType, types.BuiltinFunctionType),
            lambda c, v, p: _module_level(v),
            lambda c, b: resolve(b),
        ),
        "iterator": (
            collections.abc.Iterator,
            _sequence,
            lambda c, b: iter([c.decode(v) for v in b]),
        ),
        "row": (
            _Lazy("sqlalchemy.engine", "Row", "RowProxy").kinds(),
            lambda c, v, p: _sequence(c, tuple(v), p),
            lambda c, b: tuple(c.decode(v) for v in b),
        ),
        "object": (object, _object, _make_object),
    }


_TAGS: Dict[str, _Row] = _rows()

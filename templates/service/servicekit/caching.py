"""Results that the monolith keeps in its process: for all processes of the service, or a request.

`shared_memo` and `request_memo` stand for `functools.lru_cache`; `shared_cache` and `request_cache`
stand for the class of Flask-Caching's cache objects, whose backend would live in the process.
"""

from __future__ import annotations

import functools
import pickle
import time
import types
from collections import namedtuple
from typing import Any, Callable, Dict, List, MutableMapping, Optional, Tuple

from servicekit.state import RequestDict, SharedDict

_IN_PROCESS = frozenset({"simple", "simplecache", "filesystem", "filesystemcache", "uwsgi"})
"""Last parts of CACHE_TYPE, in small letters, that no other process can see."""
_Info = namedtuple("_Info", ["hits", "misses", "maxsize", "currsize"])


def shared_memo(name: str) -> Callable[[Any], Any]:
    """A decorator that keeps results for all processes; those that cannot be pickled, for none."""
    return lambda function: _Memo(function, SharedDict(name, pickled_only=True), pickled=True)


def request_memo(name: str) -> Callable[[Any], Any]:
    """A decorator that keeps results, of methods too, until the request (call, command) ends."""
    return lambda function: _Memo(function, RequestDict(name), pickled=False)


class _Memo:
    """A memoised function, with what callers know of `functools.lru_cache`."""

    def __init__(self, function: Any, kept: MutableMapping, pickled: bool) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._kept = kept
        self._pickled = pickled

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        key: Tuple[Any, ...] = (args, tuple(sorted(keywords.items())))
        try:
            known = self._kept.get(key)
        except (TypeError, AttributeError, pickle.PicklingError):
            if self._pickled:
                return self._function(*args, **keywords)
            raise
        if known is not None:
            return known[0]
        value = self._function(*args, **keywords)
        try:
            self._kept[key] = (value,)
        except (TypeError, AttributeError, pickle.PicklingError):
            if not self._pickled:
                raise
        return value

    def cache_clear(self) -> None:
        """Forget all results."""
        self._kept.clear()

    def cache_info(self) -> Any:
        """As `functools` gives it; hits and misses are not counted."""
        return _Info(0, 0, None, len(self._kept))

    def cache_parameters(self) -> Dict[str, Any]:
        """As `functools` gives it."""
        return {"maxsize": None, "typed": False}


def shared_cache(name: str, cache_class: Any) -> Any:
    """A class of cache objects that keep for all processes what they would keep in their own."""
    return _redirected(cache_class, lambda: SharedDict(name, pickled_only=True))


def request_cache(name: str, cache_class: Any) -> Any:
    """A class of cache objects that keep for a request what they would keep in the process."""
    return _redirected(cache_class, lambda: RequestDict(name))


def _redirected(cache_class: Any, kept: Callable[[], MutableMapping]) -> Any:
    """A subclass whose backend is ours where the configuration asks for one of the process."""

    class Redirected(cache_class):  # type: ignore[misc]
        def _set_cache(self, app: Any, config: Any) -> None:
            kind = str(config["CACHE_TYPE"]).rsplit(".", 1)[-1].lower()
            if kind not in _IN_PROCESS:
                super()._set_cache(app, config)
                return
            backend = _Backend(kept(), config["CACHE_DEFAULT_TIMEOUT"])
            app.extensions.setdefault("cache", {})[self] = backend
            self.app = app

    Redirected.__name__ = Redirected.__qualname__ = cache_class.__name__
    return Redirected


class _Backend:
    """What Flask-Caching asks of a backend; values are copies, as its own in-process ones are."""

    ignore_errors = False

    def __init__(self, kept: MutableMapping, timeout: float) -> None:
        self._kept = kept
        self.default_timeout = timeout

    def _until(self, timeout: Optional[float]) -> float:
        seconds = self.default_timeout if timeout is None else timeout
        return time.time() + seconds if seconds > 0 else 0.0

    def get(self, key: str) -> Any:
        found = self._kept.get(key)
        if found is None or (found[0] and found[0] < time.time()):
            return None
        return pickle.loads(found[1])

    def set(self, key: str, value: Any, timeout: Optional[float] = None) -> bool:
        self._kept[key] = (self._until(timeout), pickle.dumps(value, protocol=4))
        return True

    def add(self, key: str, value: Any, timeout: Optional[float] = None) -> bool:
        return False if self.has(key) else self.set(key, value, timeout)

    def has(self, key: str) -> bool:
        found = self._kept.get(key)
        return found is not None and not (found[0] and found[0] < time.time())

    def delete(self, key: str) -> bool:
        return self._kept.pop(key, None) is not None

    unlink = delete

    def get_many(self, *keys: str) -> List[Any]:
        return [self.get(key) for key in keys]

    def get_dict(self, *keys: str) -> Dict[str, Any]:
        return dict(zip(keys, self.get_many(*keys)))

    def set_many(self, mapping: Dict[str, Any], timeout: Optional[float] = None) -> List[str]:
        return [key for key, value in mapping.items() if self.set(key, value, timeout)]

    def delete_many(self, *keys: str) -> List[str]:
        return [key for key in keys if self.delete(key)]

    def clear(self) -> bool:
        self._kept.clear()
        return True

    def inc(self, key: str, delta: int = 1) -> Any:
        value = (self.get(key) or 0) + delta
        return value if self.set(key, value) else None

    def dec(self, key: str, delta: int = 1) -> Any:
        return self.inc(key, -delta)

"""Flask-Limiter counts for all processes of the service what it would count in each by itself."""

from __future__ import annotations

import time
from typing import Any, List, Tuple

from limits.storage import SCHEMES, Storage

from servicekit.state import SharedDict

try:
    from limits.storage import MovingWindowSupport
except ImportError:  # of old, any storage with its methods has moving windows

    class MovingWindowSupport:  # type: ignore[no-redef]
        """Nothing to ask for."""


def shared_limiter(name: str, limiter_class: Any) -> Any:
    """A class of limiters whose storage `memory://`, the default, is that of the service."""

    class Redirected(limiter_class):  # type: ignore[misc]
        def init_app(self, app: Any) -> None:
            SCHEMES["memory"] = lambda uri=None, **options: _Storage(name)
            super().init_app(app)

    Redirected.__name__ = Redirected.__qualname__ = limiter_class.__name__
    return Redirected


class _Storage(Storage, MovingWindowSupport):
    """Fixed windows by key, moving ones by `(key,)`, as `limits.storage.MemoryStorage` has them."""

    STORAGE_SCHEME = ["servicekit"]
    base_exceptions = Exception

    def __init__(self, name: str) -> None:
        super().__init__()
        self._kept = SharedDict(name)

    def incr(self, key: str, expiry: float, *more: Any, **options: Any) -> int:
        amount = options.get("amount", 1)
        elastic = options.get("elastic_expiry", bool(more and more[0] is True))
        now = time.time()

        def counted(known: Tuple[int, float]) -> Tuple[int, float]:
            count, until = known
            if until <= now:
                return amount, now + expiry
            return count + amount, now + expiry if elastic else until

        return int(self._kept.update_item(key, counted, (0, 0.0))[0])

    def get(self, key: str) -> int:
        count, until = self._kept.get(key, (0, 0.0))
        return int(count) if until > time.time() else 0

    def get_expiry(self, key: str) -> int:
        return int(self._kept.get(key, (0, time.time()))[1])

    def clear(self, key: str) -> None:
        self._kept.pop(key, None)
        self._kept.pop((key,), None)

    def reset(self) -> int:
        count = len(self._kept)
        self._kept.clear()
        return count

    def check(self) -> bool:
        return True

    def acquire_entry(
        self, key: str, limit: int, expiry: float, *more: Any, **options: Any
    ) -> bool:
        amount = options.get("amount", more[0] if more and type(more[0]) is int else 1)
        only_asked = options.get("no_add", bool(more and more[0] is True))
        acquired: List[bool] = []
        now = time.time()

        def entered(known: List[float]) -> List[float]:
            recent = [each for each in known if each >= now - expiry]
            acquired.append(len(recent) + amount <= limit)
            return [now] * amount + recent if acquired[-1] and not only_asked else recent

        self._kept.update_item((key,), entered, [])
        return acquired[-1]

    def get_moving_window(self, key: str, limit: int, expiry: float) -> Tuple[int, int]:
        now = time.time()
        recent = [each for each in self._kept.get((key,), []) if each >= now - expiry]
        return int(recent[-1] if recent else now), len(recent)

    def get_num_acquired(self, key: str, expiry: float) -> int:
        return self.get_moving_window(key, 0, expiry)[1]

import functools
import time

from orchard.extensions import harvested

_prices = {}
_defaults = {"apple": 3}


class Price(int):
    pass


def refresh(app):
    while True:
        _prices.update(_defaults)
        time.sleep(60)


def once(function):
    """Do nothing when there are no prices."""

    @functools.wraps(function)
    def inner(harvest):
        return function(harvest) if _prices else None

    return inner


@harvested.connect
@once
def cheaper(harvest):
    _prices.clear()


def price_of(kind):
    return Price(_prices.get(kind, 1))

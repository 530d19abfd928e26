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


@harvested.connect
def cheaper(harvest):
    _prices.clear()


def price_of(kind):
    return Price(_prices.get(kind, 1))

class InsufficientFunds(Exception):
    def __init__(self, member, needed):
        super().__init__("member %d needs %d" % (member.id, needed))
        self.needed = needed


def charge(member, amount, order=None):
    from servicekit.calls import call

    return call("shop.billing.charge", (member, amount, order), {})


def reserve(member, amount):
    from servicekit.calls import call

    return call("shop.billing.reserve", (member, amount), {})


def reject(member):
    from servicekit.calls import call

    return call("shop.billing.reject", (member,), {})


def slow(member, seconds):
    from servicekit.calls import call

    return call("shop.billing.slow", (member, seconds), {})


def visit(member):
    from servicekit.commands import defer

    defer("shop.billing.visit", (member,), {}, commits=True)


def noted(target):
    from servicekit.commands import defer

    defer("shop.billing.noted", (target,), {})


def whoami(*names, separator="/"):
    from servicekit.calls import call

    return call("shop.billing.whoami", (*names,), {"separator": separator})


def echo(value):
    from servicekit.calls import call

    return call("shop.billing.echo", (value,), {})


def take_email(member, other):
    from servicekit.calls import call

    call("shop.billing.take_email", (member, other), {})


def surprise():
    from servicekit.calls import call

    return call("shop.billing.surprise", (), {})


def newest(count):
    from servicekit.calls import call

    return call("shop.billing.newest", (count,), {})


def keep(profile):
    from servicekit.calls import call

    return call("shop.billing.keep", (profile,), {})


def orders_of(member):
    from servicekit.calls import call

    return call("shop.billing.orders_of", (member,), {})

"""What one part of the application tells the others."""

from blinker import Namespace

_signals = Namespace()

member_registered = _signals.signal("member-registered")
payment_settled = _signals.signal("payment-settled")
payment_failed = _signals.signal("payment-failed")

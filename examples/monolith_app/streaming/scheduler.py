"""Work that is done every so often, beside the requests."""

import logging
import threading

from flask import Flask

from streaming.billing import services as billing

log = logging.getLogger(__name__)


def start(app: Flask) -> threading.Event:
    """Start the periodic work; setting the returned event ends it."""
    stopped = threading.Event()
    interval = app.config["OVERDUE_INTERVAL"]
    if interval > 0:
        arguments = (app, interval, stopped)
        threading.Thread(target=run, args=arguments, name="scheduler", daemon=True).start()
    return stopped


def run(app: Flask, interval: float, stopped: threading.Event) -> None:
    while not stopped.wait(interval):
        with app.app_context():
            try:
                billing.mark_overdue()
            except Exception:
                log.exception("marking overdue invoices failed")

"""The background worker: `python -m streaming.worker`."""

import logging
import signal
import threading

from streaming.application import create_app
from streaming.encoding import services as encoding

log = logging.getLogger(__name__)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    app = create_app()
    while not stopped.is_set():
        with app.app_context():
            worked = work_once(app.config["WORKER_DELAY"])
        if not worked:
            stopped.wait(app.config["WORKER_INTERVAL"])


def work_once(delay: float) -> bool:
    """Do the oldest job that is waiting, if there is one."""
    try:
        encoding.requeue_lost()
        job = encoding.take_next(delay)
        if job is None:
            return False
        log.info("job %s: %s of asset %s", job.id, job.codec, job.asset_id)
        encoding.run(job)
        return True
    except Exception:
        log.exception("the worker could not do its job")
        return False


if __name__ == "__main__":
    main()

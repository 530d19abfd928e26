import os
import time


def loop():
    """Says every 50 ms who runs it."""
    while True:
        with open(os.path.join(os.environ["SERVICE_DATA"], "ticks"), "a") as stream:
            stream.write("%d\n" % os.getpid())
        time.sleep(0.05)

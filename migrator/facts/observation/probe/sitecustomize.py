"""Python imports this at start, since its folder stands first in PYTHONPATH: begin to observe.

It also runs the `sitecustomize` that it hides. Any version of Python may meet this file: old ones
are left alone, and no failure here ever reaches the observed program.
"""

# mypy: ignore-errors
import os
import sys


def _observe(folder):
    if sys.version_info >= (3, 8) and os.environ.get("MIGRATOR_OBSERVE"):
        try:
            from migrator_probe import start

            start.begin(os.environ["MIGRATOR_OBSERVE"])
        except Exception:
            if os.environ.get("MIGRATOR_OBSERVE_DEBUG"):
                raise
    while folder in sys.path:
        sys.path.remove(folder)


def _chain():
    """Run the next `sitecustomize` on the path, as Python would have done."""
    own = sys.modules.pop("sitecustomize", None)
    try:
        __import__("sitecustomize")
    except ImportError as error:
        if getattr(error, "name", "sitecustomize") != "sitecustomize":
            raise
        if own is not None:
            sys.modules["sitecustomize"] = own


_observe(os.path.dirname(os.path.abspath(__file__)))
_chain()

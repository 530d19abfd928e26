"""Records which functions of a project call each other, in every Python that starts below.

`observed_calls.py` copies this file as `sitecustomize.py` into a folder that it puts in front of
`PYTHONPATH`. Needs Python 3.8 and nothing but the standard library. A pair is the caller's place,
the callee's place, and whether the call was direct: code of others may stand between them on the
stack (`map`, a decorator, a test double), and then the nearest function of the project counts.
A generator or coroutine is never a callee: a profile sees who resumes it, not who calls it.
"""

import atexit
import json
import os
import sys
import threading
from multiprocessing import util

_ROOT = os.path.join(os.path.realpath(os.environ["CALLS_ROOT"]), "")
_FOLDER = os.environ["CALLS_FOLDER"]
_LAZY = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
_FUNCTION = 0x1  # CO_OPTIMIZED: not a module's or a class's body
_INLINE = ("<listcomp>", "<setcomp>", "<dictcomp>")
_inside = {}
_pairs = {}


def _is_inside(code):
    known = _inside.get(code)
    if known is None:
        file = code.co_filename
        path = os.path.realpath(file) if not file.startswith("<") else ""
        known = _inside[code] = path.startswith(_ROOT) and "site-packages" not in path
    return known


def _profile(frame, event, _):
    if event != "call":
        return
    code = frame.f_code
    if code.co_flags & _LAZY or not code.co_flags & _FUNCTION or code.co_name in _INLINE:
        return
    if not _is_inside(code):
        return
    caller, direct = frame.f_back, True
    while caller is not None:
        if not _is_inside(caller.f_code):
            direct = False
        elif caller.f_code.co_name not in _INLINE:
            break
        caller = caller.f_back
    if caller is not None:
        key = caller.f_code, code
        _pairs[key] = _pairs.get(key, False) or direct


def _save():
    sys.setprofile(None)
    if not _pairs:
        return
    found = [
        [
            [os.path.realpath(each.co_filename)[len(_ROOT) :], each.co_firstlineno, each.co_name]
            for each in pair
        ]
        + [direct]
        for pair, direct in list(_pairs.items())
    ]
    with open(os.path.join(_FOLDER, f"{os.getpid()}.json"), "w") as file:
        json.dump(found, file)


atexit.register(_save)
# A process of `multiprocessing` ends without `atexit`.
util.register_after_fork(_save, lambda _: util.Finalize(None, _save, exitpriority=1))
threading.setprofile(_profile)
sys.setprofile(_profile)

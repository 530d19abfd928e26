from functools import wraps

from flask import abort, g


def signed_in(view):
    @wraps(view)
    def guarded(*args, **kwargs):
        if g.reader is None:
            abort(401)
        return view(*args, **kwargs)

    return guarded


def subscribers_only(view):
    @wraps(view)
    @signed_in
    def guarded(*args, **kwargs):
        return view(*args, **kwargs)

    return guarded

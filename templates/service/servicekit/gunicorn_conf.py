"""gunicorn's settings for web and calls: one worker process, threads inside.

Nothing is loaded before the fork: a SQLite handle or a kept connection must never be inherited.
"""

from servicekit.settings import settings as _settings

bind = "%s:%d" % (_settings().host, _settings().port)
workers = 1
worker_class = "gthread"
threads = _settings().threads
preload_app = False
keepalive = 75
timeout = 300  # also of a start, which may take long on a busy machine
graceful_timeout = _settings().grace
errorlog = "-"
accesslog = None
proc_name = "%s-%s" % (_settings().name, _settings().instance)

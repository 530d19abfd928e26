"""Settings, from the environment, with defaults for a developer's machine."""

import os


class Config:
    SECRET_KEY = os.environ.get("SECRET_KEY", "development-only-secret")
    SQLALCHEMY_DATABASE_URI = os.environ.get("DATABASE_URL", "sqlite:///streaming.db")
    SQLALCHEMY_ENGINE_OPTIONS = {  # noqa: RUF012
        "connect_args": {"timeout": 15} if SQLALCHEMY_DATABASE_URI.startswith("sqlite") else {},
    }
    SESSION_COOKIE_SAMESITE = "Lax"
    MAX_CONTENT_LENGTH = 64 * 1024 * 1024

    MEDIA_ROOT = os.environ.get("MEDIA_ROOT", "var/media")
    MAX_ARTWORK_BYTES = 256 * 1024
    PASSWORD_METHOD = os.environ.get("PASSWORD_METHOD", "scrypt")

    PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://127.0.0.1:5000")
    PAYMENT_URL = os.environ.get("PAYMENT_URL", "http://127.0.0.1:5050")
    PAYMENT_TIMEOUT = float(os.environ.get("PAYMENT_TIMEOUT", "5"))
    WEBHOOK_SECRET = os.environ.get("WEBHOOK_SECRET", "development-only-webhook-secret")

    OVERDUE_INTERVAL = float(os.environ.get("OVERDUE_INTERVAL", "3600"))
    WORKER_INTERVAL = float(os.environ.get("WORKER_INTERVAL", "1"))
    WORKER_DELAY = float(os.environ.get("WORKER_DELAY", "2"))

"""Structured logs: one JSON object a line on stderr, with service, process and request id."""

from __future__ import annotations

import logging
import sys
from typing import Any, MutableMapping

import structlog

from servicekit import scope
from servicekit.settings import settings


def _origin(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    own = settings()
    event["service"], event["instance"] = own.name, own.instance
    unit = scope.active()
    if unit is not None:
        event["request_id"] = unit.request_id
    return event


_SHARED = [
    _origin,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
]


def configure() -> None:
    """Send servicekit's and the application's own log records through one JSON formatter."""
    structlog.configure(
        processors=_SHARED + [structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(default=str), foreign_pre_chain=_SHARED
        )
    )
    root = logging.getLogger()
    if not root.handlers:  # an application that has set up logging keeps what it set up
        root.addHandler(handler)
        root.setLevel(settings().log_level)
    kit = logging.getLogger("servicekit")
    if not kit.handlers:
        kit.addHandler(handler)
    kit.propagate = False
    kit.setLevel(settings().log_level)


def logger(name: str) -> Any:
    """A logger whose records carry keyword arguments as fields."""
    return structlog.stdlib.get_logger("servicekit." + name)

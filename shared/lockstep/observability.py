"""The log: one JSON line for each request, written when the reply is known; the metrics are part of it (EMF).

What is known of a request is kept for the thread that serves it and those that side_by_side starts for it.
"""

import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar, copy_context
from functools import cache, lru_cache
from threading import Lock
from typing import Any, Final, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from lockstep.line import OF_EVERY_RECORD, Line
from lockstep.text import escape

R = TypeVar("R")

SERVICE: Final = os.environ.get("POWERTOOLS_SERVICE_NAME", "lockstep")
"""The metrics' one dimension: the stack."""
NAMESPACE: Final = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "")
"""Of the metrics; without it there are none."""
MAX_METRICS: Final = 90
"""Different ones in a line; CloudWatch takes 100."""

logger = Logger(service=SERVICE, logger_formatter=Line(SERVICE))
# On Lambda the Logger heeds ApplicationLogLevel alone, which must let metrics through: LogLevel is set behind its back.
logging.getLogger(logger.name).setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))

MAX_CONTEXT_KEYS: Final = 20
_RESERVED: Final = OF_EVERY_RECORD | {
    "_aws",
    "message",
    "asctime",
    "level",
    "location",
    "timestamp",
    "service",
    "sampling_rate",
    "xray_trace_id",
    "correlation_id",
    "exception",
    "exception_name",
    "stack_trace",
    "self",
    "route",
    "status",
    "request_id",
    "gateway_request_id",
    "caller",
    "seconds",
    "why",
}
_HEADER: Final = "x-server-structlog-context"
_ORDINARY: Final = re.compile(r"[a-z_][a-z0-9_]*")
"""A key of structlog. No metric's name is one."""
_METRICS: Final[ContextVar[dict[tuple[str, str], list[float]] | None]] = ContextVar("metrics", default=None)
_LOCK: Final = Lock()


def observed(serve: Callable[..., R], *request: Any) -> R:
    """The reply to a request: what is known, counted and said of its caller while it is served ends with it."""
    context = copy_context()
    context.run(_METRICS.set, {})
    return context.run(serve, *request)


def known(**facts: object) -> None:
    """What every further line about the request says too."""
    logger.thread_safe_append_keys(**facts)


def count(name: str, number: int = 1) -> None:
    """So many more of it happened in this request. Nothing is written for none, or outside of a request."""
    metrics = _METRICS.get()
    if number and metrics is not None:
        with _LOCK:
            metrics.setdefault((name, "Count"), [0])[0] += number


def measure(name: str, seconds: float) -> None:
    """It took so long, or came so late, in this request."""
    metrics = _METRICS.get()
    if metrics is not None:
        with _LOCK:
            metrics.setdefault((name, "Seconds"), []).append(seconds)


def report(message: str, *args: object, level: int = logging.INFO, **facts: object) -> None:
    """The request's line, with its metrics. These are written whatever the log level."""
    metrics = _emf()
    if logger.log_level <= level:
        say = logger.warning if level >= logging.WARNING else logger.info
        say(message, *args, extra=facts | metrics)
    elif metrics:
        print(json.dumps(metrics), flush=True)  # noqa: T201  # standard output is where CloudWatch reads metrics


def _emf() -> dict[str, Any]:
    metrics = _METRICS.get()
    if not (metrics and NAMESPACE):
        return {}
    said = {
        name: {"Unit": unit, "Value": values[:MAX_METRICS]}
        for (name, unit), values in list(metrics.items())[:MAX_METRICS]
    }
    return dict(_provider(NAMESPACE).serialize_metric_set(said))


@cache
def _provider(namespace: str) -> AmazonCloudWatchEMFProvider:
    return AmazonCloudWatchEMFProvider(namespace=namespace, service=SERVICE)


def caller_context(headers: Mapping[str, str]) -> Mapping[str, object]:
    """What Jobmon's clients say of themselves in X-Server-Structlog-Context, fit for a log line.

    A header that is not a JSON object says nothing. Keys that are ours, or look like a metric's name, get the prefix
    `caller_`.
    """
    return _context_in(next((value for name, value in headers.items() if name.lower() == _HEADER), "{}"))


@lru_cache(maxsize=32)
def _context_in(raw: str) -> Mapping[str, object]:
    """A run's workers say the same, over and over."""
    try:
        context = json.loads(raw)
        pairs = list(context.items())[:MAX_CONTEXT_KEYS]
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in pairs}
    except (AttributeError, RecursionError, ValueError):
        return {"caller_context": "not a JSON object"}
    return {_free(escape(key)): escape(value) for key, value in texts.items()}


def _free(key: str) -> str:
    return key if _ORDINARY.fullmatch(key) and key not in _RESERVED else f"caller_{key}"

"""The log: one JSON line for each request, written when the reply is known. Metrics are part of the line (EMF)."""

import json
import logging
import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from aws_lambda_powertools import Logger

from lockstep import context
from lockstep.clock import now
from lockstep.log_format import STANDARD_ATTRIBUTES, LogFormat
from lockstep.text import escape

SERVICE: Final = os.environ.get("POWERTOOLS_SERVICE_NAME", "lockstep")
"""The stack's name: the metrics' one dimension."""
NAMESPACE: Final = os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "")
"""The metrics' namespace. Empty: no metrics are written."""
MAX_METRICS: Final = 90
"""Metrics in a line. CloudWatch takes 100."""

logger = Logger(service=SERVICE, logger_formatter=LogFormat(SERVICE))
# On Lambda the Logger obeys ApplicationLogLevel alone, which must let metrics through. So LogLevel is set directly.
_log: Final = logging.getLogger(logger.name)
_log.setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL", "INFO"))
# What LogFormat does not show need not be found out for each line (Python's logging HOWTO, "Optimization").
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

MAX_CONTEXT_KEYS: Final = 20
_RESERVED: Final = STANDARD_ATTRIBUTES | {
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
    "source",
    "target",
    "refusal",
    "moves",
    "refusals",
}
_HEADER: Final = "x-server-structlog-context"
_ORDINARY: Final = re.compile(r"[a-z_][a-z0-9_]*")
"""A key as structlog writes them. No metric's name matches."""


def bind(**facts: object) -> None:
    """Add facts to every further log line of the request."""
    logger.thread_safe_append_keys(**facts)


def count(name: str, number: int = 1) -> None:
    """Add to a counter of the request. Nothing is written for zero, or outside of a request."""
    request = context.current()
    if number and request is not None:
        with request.lock:
            request.counters.setdefault((name, "Count"), [0])[0] += number


def record_move(source: str | None, target: str, number: int = 1) -> None:
    """Record moves of the request for its log line. A source that is not known for certain is None."""
    request = context.current()
    if number and request is not None:
        with request.lock:
            request.moves[source, target] = request.moves.get((source, target), 0) + number


def record_refusal(reason: str, number: int = 1, *, kind: str = "INVALID") -> None:
    """Record refusals of the request for its log line: a 200 alone does not tell that nothing was done.

    kind: the name of a fsm.transitions.RefusalKind.
    """
    request = context.current()
    if number and request is not None:
        with request.lock:
            request.refusals[kind, reason] = request.refusals.get((kind, reason), 0) + number


def _happened() -> dict[str, Any]:
    """Return the moves and refusals as log fields: plain for a single one, lists with counts for more."""
    request = context.current()
    if not (request and (request.moves or request.refusals)):
        return {}
    moves = [{"source": source, "target": target, "count": n} for (source, target), n in request.moves.items()]
    refusals = [{"kind": kind, "reason": reason, "count": n} for (kind, reason), n in request.refusals.items()]
    if sum(request.moves.values()) + sum(request.refusals.values()) > 1:
        return {"moves": moves, "refusals": refusals}
    if moves:
        return {"source": moves[0]["source"], "target": moves[0]["target"]}
    return {"refusal": {"kind": refusals[0]["kind"], "reason": refusals[0]["reason"]}}


def measure(name: str, seconds: float) -> None:
    """Record a duration, or a delay, of the request."""
    request = context.current()
    if request is not None:
        with request.lock:
            request.counters.setdefault((name, "Seconds"), []).append(seconds)


def write_line(message: str, *args: object, level: int = logging.INFO, **facts: object) -> None:
    """Write the request's log line with its metrics. Metrics are written at every log level."""
    metrics = _emf()
    if logger.log_level <= level:
        # info would look for the place in the code that calls it, which the line does not show.
        shown = facts | _happened() | metrics
        _log.handle(_log.makeRecord(_log.name, level, "", 0, message, args, exc_info=None, extra=shown))
    elif metrics:
        print(json.dumps(metrics), flush=True)  # noqa: T201  # standard output is where CloudWatch reads metrics


def _emf() -> dict[str, Any]:
    """Return the request's metrics in CloudWatch's embedded metric format. Their one dimension is the service."""
    request = context.current()
    if not (NAMESPACE and request and request.counters):
        return {}
    counters = list(request.counters.items())[:MAX_METRICS]
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["service"]],
        "Metrics": [{"Name": name, "Unit": unit} for (name, unit), _ in counters],
    }
    return {
        "_aws": {"Timestamp": int(now() * 1000), "CloudWatchMetrics": [directive]},
        "service": SERVICE,
        **{name: values[:MAX_METRICS] for (name, _), values in counters},
    }


def caller_context(headers: Mapping[str, str]) -> Mapping[str, object]:
    """Read the facts that Jobmon's clients send in X-Server-Structlog-Context, fit for a log line.

    headers: by name in lower case. A header that is not a JSON object adds one fact that says so. Keys that Lockstep
    uses, or that look like a metric's name, get the prefix `caller_`.
    """
    return _context_in(headers.get(_HEADER, "{}"))


@lru_cache(maxsize=32)
def _context_in(raw: str) -> Mapping[str, object]:
    """Parse the header once: all workers of a run send the same."""
    try:
        sent = json.loads(raw)
        pairs = list(sent.items())[:MAX_CONTEXT_KEYS]
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in pairs}
    except (AttributeError, RecursionError, ValueError):
        return {"caller_context": "not a JSON object"}
    return {_free(escape(key)): escape(value) for key, value in texts.items()}


def _free(key: str) -> str:
    return key if _ORDINARY.fullmatch(key) and key not in _RESERVED else f"caller_{key}"

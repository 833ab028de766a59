"""The log: one JSON line for each request, written when the reply is known."""

import json
import logging
from collections.abc import Mapping
from typing import Final

from aws_lambda_powertools import Logger

from lockstep.text import escape

logger = Logger(service="lockstep")

MAX_CONTEXT_KEYS: Final = 20
_RESERVED: Final = frozenset(vars(logging.makeLogRecord({}))) | {
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
    "route",
    "status",
    "request_id",
    "seconds",
    "why",
}


def caller_context(headers: Mapping[str, str]) -> dict[str, object]:
    """What Jobmon's clients say of themselves in X-Server-Structlog-Context, fit for a log line.

    A header that is not a JSON object says nothing. Keys that are ours get the prefix `caller_`.
    """
    raw = next((value for name, value in headers.items() if name.lower() == "x-server-structlog-context"), "{}")
    try:
        context = json.loads(raw)
        pairs = list(context.items())[:MAX_CONTEXT_KEYS]
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in pairs}
    except (AttributeError, RecursionError, ValueError):
        return {"caller_context": "not a JSON object"}
    return {_free(escape(key)): escape(value) for key, value in texts.items()}


def _free(key: str) -> str:
    return f"caller_{key}" if key in _RESERVED else key

"""A line of the log: Powertools' own, made in one go."""

import logging
from typing import Final

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from pydantic_core import PydanticSerializationError, to_json

OF_EVERY_RECORD: Final = frozenset(vars(logging.makeLogRecord({})))
"""What the logging module says of each record by itself."""


class Line(LambdaPowertoolsFormatter):
    """Says what its parent says, but not where in the code, in a third of the time.

    The parent looks for every key of every line in lists of names. What carries an exception, and what only it can
    write, is left to it.
    """

    def __init__(self, service: str) -> None:
        super().__init__(service=service, utc=True)
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """JSON."""
        if record.exc_info:
            return super().format(record)
        said = {
            "level": record.levelname,
            "message": record.getMessage(),
            "timestamp": self.formatTime(record),
            "service": self._service,
            "xray_trace_id": self._get_latest_trace_id(),
            **self.thread_safe_get_current_keys(),
            **{name: value for name, value in vars(record).items() if name not in OF_EVERY_RECORD},
        }
        try:
            return to_json({name: value for name, value in said.items() if value is not None}).decode()
        except PydanticSerializationError:
            return super().format(record)

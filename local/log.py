"""The log of `make run` in a terminal: one short, aligned line a request."""

import logging
from collections.abc import Iterator
from typing import Any, Final

from lockstep.log_format import LogFormat
from lockstep.observability import logger

_PATH_WIDTH: Final = 52


class TerminalFormat(LogFormat):
    """Time, method, path, status, and what happened. Other records keep their own message."""

    def __init__(self) -> None:
        super().__init__("lockstep")
        self._plain = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line; a defect's traceback follows it."""
        entry = vars(record)
        if "status" not in entry:
            return self._plain.format(record)
        method, _, path = record.getMessage().partition(" ")
        happened = ", ".join(_happened(entry)) or entry.get("why") or ""
        line = (
            f"{self._plain.formatTime(record, '%H:%M:%S')} {method:4} {path:{_PATH_WIDTH}} {entry['status']} {happened}"
        )
        return line.rstrip()


def _happened(entry: dict[str, Any]) -> Iterator[str]:
    if "target" in entry:
        yield _arrow(entry)
    if "refusal" in entry:
        yield f"refused: {entry['refusal']['reason']}"
    for each in entry.get("moves", []):
        yield f"{each['count']} x {_arrow(each)}"
    for each in entry.get("refusals", []):
        yield f"{each['count']} x refused: {each['reason']}"


def _arrow(move: dict[str, Any]) -> str:
    return f"{move['source'] or ''} → {move['target']}".lstrip()


def log_for_a_terminal() -> None:
    """Write the log for a person instead of for a program."""
    logger.registered_handler.setFormatter(TerminalFormat())

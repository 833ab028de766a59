"""The log lines of the functions that run in this process."""

import json
import logging
from typing import Any

import pytest

from lockstep import observability


class Lines(logging.Handler):
    """Keeps each line as LogFormat writes it, and passes none on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._lines: list[str] = []
        logger = logging.getLogger(observability.logger.name)
        self.setFormatter(logger.handlers[0].formatter)
        monkeypatch.setattr(logger, "handlers", [self])
        monkeypatch.setattr(logger, "level", logging.INFO)
        monkeypatch.setattr(logger, "isEnabledFor", lambda _: True)  # its own remembers the levels

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def written(self) -> list[str]:
        """The lines since the last look, as they are written."""
        lines, self._lines = self._lines, []
        return lines

    def taken(self) -> list[dict[str, Any]]:
        """The lines since the last look."""
        return [json.loads(line) for line in self.written()]

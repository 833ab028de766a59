"""Tell of the moves in a batch of the table's stream."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from lockstep import context
from lockstep.changes.event import Record, UnreadableRecordError, event_of
from lockstep.clock import Deadline
from lockstep.context import RequestContext
from lockstep.observability import SERVICE, count, write_line
from lockstep.text import cut

MAX_LOGGED: Final = 500
"""Bytes of what is logged about a record that cannot be read."""


def tell(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The events that tell of the moves in records, in their order, as JSON's types.

    A record that cannot be read is logged, counted and left out: the same record would fail again, and all others
    would wait for it.
    """
    return context.run_in(RequestContext(Deadline()), _tell, records)


def _tell(records: Sequence[Record]) -> list[dict[str, Any]]:
    events, unreadable = [], []
    for record in records:
        try:
            event = event_of(record, SERVICE)
        except UnreadableRecordError as error:
            unreadable.append(cut(str(error), MAX_LOGGED))
        else:
            if event:
                events.append(event.model_dump(mode="json", by_alias=True))
    if unreadable:
        count("ChangesUnreadable", len(unreadable))
        write_line("records of the stream cannot be read", level=logging.WARNING, why=unreadable)
    return events

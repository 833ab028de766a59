"""What a set of requested resources says of the directories that a command prints into."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from lockstep import keys
from lockstep.clock import Deadline
from lockstep.errors import NotFoundError
from lockstep.items import Resources
from lockstep.table import Key, fetch_present

Directories = tuple[str | None, str | None]
"""Of stdout and of stderr."""
MOST_REMEMBERED: Final = 256
"""Sets whose directories a process remembers: two paths each, of at most 4 KB."""
_remembered: Final[dict[int, Directories]] = {}


def directories(requested_resources: Mapping[str, Any]) -> Directories:
    """Those that the resources name; None where they name none.

    >>> directories({"stdout": "/logs", "memory": 1})
    ('/logs', None)
    """
    stdout, stderr = (requested_resources.get(name) for name in ("stdout", "stderr"))
    return stdout if isinstance(stdout, str) else None, stderr if isinstance(stderr, str) else None


def read_directories(task_resources_ids: Collection[int], deadline: Deadline) -> dict[int, Directories]:
    """Those of every set of resources that exists. A set never changes: what this process has read, it remembers."""
    known = {number: _remembered[number] for number in task_resources_ids if number in _remembered}
    wanted = {Key(keys.resources(number), keys.RESOURCES): number for number in set(task_resources_ids) - known.keys()}
    found = {
        wanted[key]: directories(Resources.from_raw_data(raw).requested_resources)
        for key, raw in fetch_present(wanted, deadline).items()
    }
    if len(_remembered) + len(found) <= MOST_REMEMBERED:
        _remembered.update(found)
    return known | found


def forget() -> None:
    """Read every set again: somebody writes over what is there, as no function does."""
    _remembered.clear()


def read_resources(task_resources_id: int) -> dict[str, Any]:
    """What was bound under an id.

    Raises:
        NotFoundError: nothing was.
    """
    key = Key(keys.resources(task_resources_id), keys.RESOURCES)
    raw = fetch_present([key], Deadline()).get(key)
    if not raw:
        raise NotFoundError(f"task resources {task_resources_id} do not exist")
    return dict(Resources.from_raw_data(raw).requested_resources)

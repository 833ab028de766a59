"""What a set of requested resources says of the directories that a command prints into."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

from lockstep import keys
from lockstep.clock import Deadline
from lockstep.errors import NotFoundError
from lockstep.items import Resources
from lockstep.table import Key, fetch_present

Directories = tuple[str | None, str | None]
"""Of stdout and of stderr."""
REMEMBERED: Final = 256
"""Sets whose directories a process remembers: two paths each, of at most 4 KB."""


def directories(requested_resources: Mapping[str, Any]) -> Directories:
    """Those that the resources name; None where they name none.

    >>> directories({"stdout": "/logs", "memory": 1})
    ('/logs', None)
    """
    stdout, stderr = (requested_resources.get(name) for name in ("stdout", "stderr"))
    return stdout if isinstance(stdout, str) else None, stderr if isinstance(stderr, str) else None


def read_directories(task_resources_ids: Iterable[int], deadline: Deadline) -> dict[int, Directories]:
    """Those of every set of resources that exists. A set never changes: what this process has read, it remembers."""
    remembered = {number: _remembered(number) for number in task_resources_ids}
    wanted = {Key(keys.resources(number), keys.RESOURCES): number for number, known in remembered.items() if not known}
    for key, raw in fetch_present(wanted, deadline).items():
        remembered[wanted[key]][:] = [directories(Resources.from_raw_data(raw).requested_resources)]
    return {number: known[0] for number, known in remembered.items() if known}


@lru_cache(REMEMBERED)
def _remembered(_task_resources_id: int) -> list[Directories]:
    """Where a set's directories are put once they are read; empty until then."""
    return []


def forget() -> None:
    """Read every set again: somebody writes over what is there, as no function does."""
    _remembered.cache_clear()


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

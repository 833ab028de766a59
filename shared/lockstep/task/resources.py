"""Sets of requested resources, and the directories that a command prints into."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from lockstep.cluster.builtin import Placed
from lockstep.cluster.known import queue_with_id
from lockstep.dynamodb.client import reach
from lockstep.dynamodb.counters import allocate
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.puts import put_many
from lockstep.dynamodb.reads import fetch_present
from lockstep.errors import FieldError, InvalidError, NotFoundError
from lockstep.task.bound_item import Resources

Directories = tuple[str | None, str | None]
"""The directory of stdout, and that of stderr."""
MOST_REMEMBERED: Final = 256
"""Sets whose directories a process caches: two paths each, of at most 4 KB."""
_READ_AT_ONCE: Final = 500
"""The sets that are held at once as they are stored: 30 MB."""
_remembered: Final[dict[int, Directories]] = {}


def directories(requested_resources: Mapping[str, Any]) -> Directories:
    """The directories that a set names; None where it names none.

    >>> directories({"stdout": "/logs", "memory": 1})
    ('/logs', None)
    """
    stdout, stderr = (requested_resources.get(name) for name in ("stdout", "stderr"))
    return stdout if isinstance(stdout, str) else None, stderr if isinstance(stderr, str) else None


def bind_resources(queue_id: int, task_resources_type_id: str | None, requested: Mapping[str, Any]) -> int:
    """Store a new set of requested resources for good, and return its id.

    Raises:
        InvalidError: no queue has that id.
    """
    if queue_with_id(queue_id) is None:
        raise InvalidError([FieldError("queue_id", f"no queue has the id {queue_id}")])
    [number] = allocate("task_resources", 1)
    reach(_item(number, NewSet(queue_id, task_resources_type_id, requested)).save)
    return number


class NewSet(NamedTuple):
    """A set to store for a queue that is known to exist, such as that of a stored set."""

    queue_id: int
    task_resources_type_id: str | None
    requested: Mapping[str, Any]


def store_sets(sets: Sequence[NewSet]) -> list[int]:
    """Store new sets for good, and return their ids, in order. One request, and one more for 25 sets."""
    ids = allocate("task_resources", len(sets)) if sets else ()
    put_many(_item(number, each) for number, each in zip(ids, sets, strict=True))
    return list(ids)


def _item(number: int, new: NewSet) -> Resources:
    return Resources(
        *Resources.key(number),
        queue_id=new.queue_id,
        task_resources_type_id=new.task_resources_type_id,
        requested_resources=dict(new.requested),
    )


def read_directories(task_resources_ids: Collection[int]) -> dict[int, Directories]:
    """The directories of each set that exists. A set never changes, so this process caches what it has read."""
    known = {number: _remembered[number] for number in task_resources_ids if number in _remembered}
    wanted = {Resources.key(number): number for number in set(task_resources_ids) - known.keys()}
    found = {
        wanted[key]: directories(Resources.from_raw_data(raw).requested_resources)
        for some in chunks(wanted, _READ_AT_ONCE)
        for key, raw in fetch_present(some).items()
    }
    if len(_remembered) + len(found) <= MOST_REMEMBERED:
        _remembered.update(found)
    return known | found


def forget() -> None:
    """Empty the cache: for programs that overwrite a set, as no function does."""
    _remembered.clear()


class Requested(NamedTuple):
    """A set of requested resources, and the name of the queue that is to give them."""

    resources: dict[str, Any]
    queue_name: str


def read_resources(task_resources_id: int) -> Requested:
    """Read the set with an id, and find its queue.

    Raises:
        NotFoundError: it does not exist, or no queue has the id that it names.
    """
    key = Resources.key(task_resources_id)
    raw = fetch_present([key]).get(key)
    if not raw:
        raise NotFoundError(f"task resources {task_resources_id} do not exist")
    found = Resources.from_raw_data(raw)
    return Requested(dict(found.requested_resources), queue_of(task_resources_id, found).queue.name)


def queue_of(task_resources_id: int, resources: Resources) -> Placed:
    """Find the queue of a stored set, with its cluster.

    Raises:
        NotFoundError: no queue has the id that the set names.
    """
    placed = queue_with_id(resources.queue_id)
    if placed is None:
        named = f"queue {resources.queue_id}, which does not exist"
        raise NotFoundError(f"task resources {task_resources_id} are of {named}")
    return placed

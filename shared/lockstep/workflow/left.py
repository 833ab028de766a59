"""The tasks of a workflow that are not done yet: for a client that resumes it, and to see whether all are done.

A done task stays done for good. So a call whose time is up before it has found what it looks for notes how far it came,
and the same call again goes on there: docs/decisions/0051-a-search-that-goes-on.md.
"""

import math
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from lockstep.clock import now
from lockstep.context import deadline
from lockstep.dynamodb.client import reach
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ, fetch
from lockstep.errors import UnavailableError
from lockstep.fsm.statuses import TaskStatus
from lockstep.task.item import Task
from lockstep.workflow.cursor import CURSOR_SECONDS, cursor_of, store_cursor
from lockstep.workflow.item import PassedTasks
from lockstep.workflow.progress import READ_AT_ONCE, statuses_of, tasks_with
from lockstep.workflow.read import find_workflow
from lockstep.workflow.tasks import task_ids

_ENOUGH: Final = 0.5
"""The share of the time after which a search notes how far it came. The rest is for its caller's work on what it found.
"""
MOST_NOTED: Final = 20_000
"""The ids of tasks that are not done which a search notes, at most: 18 bytes each, and an item holds 400 kB."""
_ALL_DONE: Final = "all done"


def tasks_left(workflow_id: int, after: int, most: int) -> Iterator[tuple[int, Task]]:
    """Yield a workflow's tasks with ids greater than `after` that are not done, ascending, by reads that may lag.

    A task that is stored late, although its id was passed, is seen once the note of how far a call came has expired.

    most: the tasks that the caller takes at most. As many are read first. If too few of them are left, the statuses of
    those behind them are read: that is parsed in a tenth of the time.

    Raises:
        UnavailableError: the time is up before the caller had enough; the same call again goes on.
    """
    ids = task_ids(workflow_id, after)
    first = list(islice(ids, max(most, KEYS_PER_READ)))
    yield from _not_done(first)
    following = next(ids, None)
    if following is None:
        return
    passed = _read_passed(workflow_id, after, following)
    left: list[int] = []
    for task_id, task in _not_done([number for number in passed.left if number >= following] if passed else []):
        left.append(task_id)
        yield task_id, task
    rest = task_ids(workflow_id, passed.reached) if passed else chain([following], ids)
    for some in _growing(rest, READ_AT_ONCE if passed else len(first)):
        statuses = statuses_of(some, consistent=False)
        found = [task_id for task_id, status in statuses.items() if status != TaskStatus.DONE]
        left += found
        if deadline().spent(_ENOUGH):
            _note_passed(workflow_id, after, following, some[-1], left)
            raise UnavailableError(f"tasks up to {some[-1]} were looked at; send it again for those behind them")
        yield from _not_done(found)


def _not_done(ids: list[int]) -> Iterator[tuple[int, Task]]:
    tasks = tasks_with(ids, consistent=False).items()
    return ((task_id, task) for task_id, task in tasks if task.status != TaskStatus.DONE)


def _growing(ids: Iterator[int], size: int) -> Iterator[list[int]]:
    """Split ids into lists of `size`, and each further one of twice as many, up to READ_AT_ONCE."""
    while some := list(islice(ids, min(size, READ_AT_ONCE))):
        yield some
        size = 2 * len(some)


def _read_passed(workflow_id: int, after: int, following: int) -> PassedTasks | None:
    """What an earlier call with the same `after` found of all tasks from `following` on, unless that is too long ago.

    A call for a larger page noted only what lies behind its own first tasks.
    """
    key = PassedTasks.key(workflow_id, after)
    raw = fetch([key], consistent=True).get(key)
    passed = PassedTasks.from_raw_data(raw) if raw else None
    holds = passed is not None and not passed.has_expired(now()) and passed.since <= following <= passed.reached
    return passed if holds else None


def _note_passed(workflow_id: int, after: int, since: int, reached: int, left: list[int]) -> None:
    if len(left) > MOST_NOTED:
        left = left[:MOST_NOTED]
        reached = left[-1]
    key, expires_at = PassedTasks.key(workflow_id, after), math.ceil(now() + CURSOR_SECONDS)
    reach(PassedTasks(*key, since=since, reached=reached, left=left, expires_at=expires_at).save)


def all_done(workflow_id: int) -> bool:
    """Whether a workflow has tasks, and each is done.

    Raises:
        UnavailableError: the time is up; the same call again goes on.
        ContentionError: a run was linked meanwhile, or another call goes through the tasks (store_cursor).
    """
    workflow = find_workflow(workflow_id)
    if workflow is None:
        return False
    after = cursor_of(workflow, _ALL_DONE)
    any_done = after > 0
    for ids in chunks(task_ids(workflow_id, after), READ_AT_ONCE):
        statuses = set(statuses_of(ids, consistent=True).values())
        if statuses - {TaskStatus.DONE}:
            return False
        any_done = any_done or bool(statuses)
        if any_done and deadline().spent(_ENOUGH):
            store_cursor(workflow_id, workflow, f"{_ALL_DONE}#{ids[-1]}#{now()}")
            raise UnavailableError(f"tasks up to {ids[-1]} are done; send it again to look at the rest")
    return any_done

"""Views of an instance: with its task as a whole, and its error log."""

from collections.abc import Sequence
from typing import Final

from lockstep import clock, text
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http.fields import Text
from lockstep.http.models import Reply
from lockstep.http.reply import MAX_REPLY_BYTES, carried_as_json
from lockstep.task_instance.item import InstanceKey
from lockstep.task_instance.read import ErrorLog, ReportedError, Whole

ErrorLogRow = tuple[int, str, Text]

_ROW_BYTES: Final = 100
"""More than a row takes in a reply beside its description, and more than the reply takes beside its rows."""


def error_log(log: ErrorLog) -> list[ErrorLogRow]:
    """The id, time and description of each error, in time order. All fit one reply, each cut to its share if need be.

    The id is the entry's digest as an integer below 2^52. If entries are left out, the first row, with the id 0, says
    how many.
    """
    rows = [*_left_out(log), *((int(error.digest, 16), clock.naive(error.at), _words(error)) for error in log.errors)]
    sizes = [carried_as_json(words) for _, _, words in rows]
    share = _share(sizes, MAX_REPLY_BYTES - _ROW_BYTES * (len(rows) + 1))
    return [
        (number, at, words if size <= share else text.cut(words, share, carried_as_json))
        for (number, at, words), size in zip(rows, sizes, strict=True)
    ]


def _left_out(log: ErrorLog) -> list[ErrorLogRow]:
    if log.complete and not log.left_out:
        return []
    words = f"{log.left_out} older entries" if log.complete else f"more than {log.left_out} entries"
    return [(0, clock.naive(log.errors[0].at), f"[... {words} left out ...]")]


def _words(error: ReportedError) -> str:
    return f"[... {error.size} bytes left out ...]" if error.text is None else error.text


def _share(sizes: Sequence[int], room: int) -> int:
    """The most that each may take so that all fit. Small ones leave room for large ones.

    >>> _share([1, 5, 9], 11), _share([1, 2], 11)
    (5, 10)
    """
    left = len(sizes)
    for size in sorted(sizes):
        if size * left > room:
            return room // left
        room, left = room - size, left - 1
    return room + max(sizes, default=0)


class InstanceView(Reply):
    """A task instance. Dates are ISO 8601 in UTC."""

    task_instance_id: int
    status: TaskInstanceStatus
    status_name: str
    status_date: str
    report_by_date: str | None
    workflow_run_id: int
    array_id: int
    array_batch_num: int
    array_step_id: int
    task_resources_id: int
    distributor_id: Text | None
    nodename: Text | None
    process_group_id: int | None
    stdout: Text | None
    stderr: Text | None
    stdout_log: Text | None
    stderr_log: Text | None


class TaskView(Reply):
    """A task."""

    task_id: int
    status: TaskStatus
    status_name: str
    num_attempts: int
    max_attempts: int
    workflow_id: int
    array_id: int
    name: Text
    command: Text


class WholeReply(Reply):
    """A task instance and its task."""

    task_instance: InstanceView
    task: TaskView


def whole(key: InstanceKey, found: Whole) -> WholeReply:
    """The view of an instance and its task."""
    instance, task, spec, log = found.instance, found.task, found.spec, found.log
    status, task_status = TaskInstanceStatus(instance.status), TaskStatus(task.status)
    return WholeReply(
        task_instance=InstanceView(
            task_instance_id=key.id,
            status=status,
            status_name=status.name,
            status_date=clock.iso(instance.status_date),
            report_by_date=clock.iso_if_known(instance.report_by),
            workflow_run_id=instance.workflow_run_id,
            array_id=instance.array_id,
            array_batch_num=instance.array_batch_num,
            array_step_id=instance.array_step_id,
            task_resources_id=instance.task_resources_id,
            distributor_id=instance.distributor_id,
            nodename=log.nodename if instance.nodename is None else instance.nodename,
            process_group_id=instance.process_group_id,
            stdout=log.stdout if instance.stdout is None else instance.stdout,
            stderr=log.stderr if instance.stderr is None else instance.stderr,
            stdout_log=log.stdout_log,
            stderr_log=log.stderr_log,
        ),
        task=TaskView(
            task_id=key.task_id,
            status=task_status,
            status_name=task_status.name,
            num_attempts=task.num_attempts,
            max_attempts=task.max_attempts,
            workflow_id=task.workflow_id,
            array_id=task.array_id,
            name=spec.name,
            command=spec.command,
        ),
    )

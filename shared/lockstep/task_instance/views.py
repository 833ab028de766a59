"""Views of an instance: with its task as a whole, and its error log."""

import json
from collections.abc import Sequence
from typing import Final

from lockstep import clock, text
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.http.fields import Text
from lockstep.http.models import Reply
from lockstep.task_instance.item import ErrorEntry, InstanceKey
from lockstep.task_instance.read import Whole

MAX_REPLY_BYTES: Final = 5_000_000
"""The most that the descriptions take in a reply. A Lambda function's reply holds 6 MB."""

ErrorLogRow = tuple[int, str, Text]


def error_log(entries: Sequence[ErrorEntry]) -> list[ErrorLogRow]:
    """The id, time and description of each entry. Where all are too large for one reply, each is cut to its share.

    The id is the entry's digest as an integer below 2^52.
    """
    descriptions = [entry.description for entry in entries]
    if sum(len(json.dumps(description)) for description in descriptions) > MAX_REPLY_BYTES:
        share = MAX_REPLY_BYTES // len(descriptions)
        descriptions = [_cut_as_json(description, share) for description in descriptions]
    return [
        (int(entry.sk.rpartition("#")[2], 16), clock.naive(entry.error_time), description)
        for entry, description in zip(entries, descriptions, strict=True)
    ]


def _cut_as_json(description: str, limit: int) -> str:
    grown = len(json.dumps(description))
    return description if grown <= limit else text.cut(description, text.size(description) * limit // grown)


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
            report_by_date=None if instance.report_by is None else clock.iso(instance.report_by),
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

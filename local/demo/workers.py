"""The worker nodes: each runs one attempt as the script says."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from local.demo.client import Client, expect
from local.demo.fates import Attempt
from local.demo.tasks import Assignment
from local.demo.view import View
from lockstep.fsm.statuses import TaskInstanceStatus

R = TypeVar("R")

HEARTBEATS: Final = 2
NODES: Final = 16
KILL_SELF: Final = TaskInstanceStatus.KILL_SELF
RUNNING: Final = TaskInstanceStatus.RUNNING
SECONDS_TO_NEXT_REPORT: Final = 300
"""Far more than the demo takes: no heartbeat is ever late."""


def run(client: Client, view: View, assignment: Assignment) -> TaskInstanceStatus:
    """The status in which the attempt's instance ended.

    Raises:
        UnexpectedError: the worker was answered what it must not be.
    """
    place = assignment.array_id, assignment.batch_num, assignment.step
    found = client.find_instance(*place)
    expect(f"the instance at {place}", found, assignment.task_instance_id)
    node = _start(client, assignment)
    view.told(found, RUNNING)
    for _ in range(HEARTBEATS):
        status = client.log_report_by(found, SECONDS_TO_NEXT_REPORT)
        expect(f"{found} at a heartbeat", status, RUNNING)
    end = assignment.attempt.ends_in
    for status in _at_once([_last_report(client, assignment, node)] * assignment.attempt.reports):
        expect(f"{found} at its end", status, end)
    view.told(found, end)
    return end


def _start(client: Client, assignment: Assignment) -> str:
    """The node that runs the attempt. One that is told to stop is never heard of again."""
    node = f"node-{assignment.step % NODES:02}"
    rival = f"{node}-rival"
    claimed_twice = assignment.attempt is Attempt.CLAIMED_TWICE
    nodes, must = ([node, rival], [KILL_SELF, RUNNING]) if claimed_twice else ([node], [RUNNING])
    told = _at_once([partial(_claim, client, assignment, claimant) for claimant in nodes])
    expect(f"what claims on {assignment.task_instance_id} are told", sorted(told), must)
    return nodes[told.index(RUNNING)]


def _claim(client: Client, assignment: Assignment, node: str) -> str:
    """The status that the node is told."""
    task_instance_id, task = assignment.task_instance_id, assignment.task
    row = client.log_running(task_instance_id, node, 1000 + assignment.step, SECONDS_TO_NEXT_REPORT)
    what_to_run = task_instance_id, task.task_id, task.command
    expect(f"what {task_instance_id} is to run", (row[0], row[3], row[5]), what_to_run)
    return str(row[1])


def _last_report(client: Client, assignment: Assignment, node: str) -> Callable[[], str]:
    end = assignment.attempt.ends_in
    if end is TaskInstanceStatus.DONE:
        return partial(client.log_done, assignment.task_instance_id, node)
    why = f"the command {assignment.attempt}"
    return partial(client.log_error, assignment.task_instance_id, node, end, why)


def _at_once(calls: list[Callable[[], R]]) -> list[R]:
    """The results of calls that are made side by side."""
    if len(calls) == 1:
        return [calls[0]()]
    with ThreadPoolExecutor(len(calls)) as together:
        return [future.result() for future in [together.submit(call) for call in calls]]

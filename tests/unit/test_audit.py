"""Which pairs of an instance and its task the audit takes for reachable: none that do not move together.

That no life leaves them is shown by the model (tests/verification/model/promises.py), which audits after each step.
"""

import pytest

from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from ops.audit.invariants.pairs import Pair, reachable

TI = TaskInstanceStatus
T = TaskStatus


TORN = [
    (TI.DONE, T.RUNNING),
    (TI.RUNNING, T.DONE),
    (TI.RUNNING, T.QUEUED),
    (TI.QUEUED, T.RUNNING),
    (TI.ERROR, T.RUNNING),
    (TI.TRIAGING, T.LAUNCHED),
    (TI.NO_HEARTBEAT, T.RUNNING),
    (TI.SUBMITTED_TO_BATCH_DISTRIBUTOR, T.RUNNING),
]


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize(("instance", "task"), TORN)
def test_a_pair_that_does_not_move_together_is_not_reachable(
    instance: TaskInstanceStatus, task: TaskStatus, *, left: bool
) -> None:
    sets = reachable(rebound=False)
    assert Pair(instance, task, left) not in sets.only | sets.latest


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("task", [T.DONE, T.ERROR_FATAL])
@pytest.mark.parametrize(
    "instance", [TI.QUEUED, TI.INSTANTIATED, TI.LAUNCHED, TI.RUNNING, TI.TRIAGING, TI.NO_HEARTBEAT, TI.KILL_SELF]
)
def test_a_task_that_has_ended_has_no_last_instance_that_goes_on(
    instance: TaskInstanceStatus, task: TaskStatus, *, left: bool
) -> None:
    sets = reachable(rebound=True)
    assert Pair(instance, task, left) not in sets.only | sets.latest


@pytest.mark.parametrize("rebound", [True, False])
def test_a_task_is_done_if_and_only_if_its_last_instance_is(*, rebound: bool) -> None:
    sets = reachable(rebound=rebound)
    assert all((pair.task_instance is TI.DONE) is (pair.task is T.DONE) for pair in sets.only | sets.latest)

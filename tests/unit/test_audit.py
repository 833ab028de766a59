"""Whatever callers do, in whatever order, an instance and its task stand as the audit says that they can."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockstep.fsm.reports import ReportRule, rule_on
from lockstep.fsm.statuses import TaskInstanceStatus, TaskStatus
from lockstep.fsm.transitions import Move, PairState, Sender, is_reset_by_binding, may_queue
from ops.audit.invariants.pairs import REPORTS, Pair, reachable

TI = TaskInstanceStatus
T = TaskStatus


@dataclass
class Life:
    """A task and its instances."""

    max_attempts: int
    task: TaskStatus = T.REGISTERING
    num_attempts: int = 0
    rebound: bool = False
    instances: list[TaskInstanceStatus] = field(default_factory=list)

    @property
    def left(self) -> bool:
        return self.num_attempts < self.max_attempts

    def queue(self) -> None:
        if may_queue(self.task):
            self.instances.append(TI.QUEUED)
            self.task, self.num_attempts = T.QUEUED, self.num_attempts + 1

    def bind(self, max_attempts: int, *, reset_if_running: bool) -> None:
        if is_reset_by_binding(self.task, reset_if_running=reset_if_running):
            self.task, self.num_attempts, self.max_attempts, self.rebound = T.REGISTERING, 0, max_attempts, True

    def report(self, report: ReportRule, which: int, sender: Sender, *due: bool) -> None:
        if not self.instances:
            return
        which %= len(self.instances)
        superseded = which < len(self.instances) - 1
        overdue, not_yet_due = due
        state = PairState(self.instances[which], self.task, self.left, overdue, not_yet_due, sender)
        ruling = rule_on(report, state._replace(superseded=superseded))
        if isinstance(ruling, Move):
            self.instances[which] = ruling.task_instance
            self.task = ruling.task or self.task

    def check(self) -> None:
        sets = reachable(rebound=self.rebound)
        latest = sets.only if len(self.instances) == 1 else sets.latest
        for status in self.instances[:-1]:
            assert Pair(status, self.task, self.left) in sets.earlier
        if self.instances:
            assert Pair(self.instances[-1], self.task, self.left) in latest
        else:
            assert Pair(None, self.task, self.left) in sets.only


_QUEUE = st.just(("queue",))
_BIND = st.tuples(st.just("bind"), st.integers(0, 2), st.booleans())
_REPORT = st.tuples(
    st.just("report"),
    st.sampled_from(REPORTS),
    st.integers(0, 3),
    st.sampled_from(Sender),
    st.booleans(),
    st.booleans(),
)


@settings(deadline=None, max_examples=500)
@given(st.integers(0, 2), st.lists(st.one_of(_QUEUE, _REPORT, _REPORT, _REPORT, _BIND), max_size=60))
def test_no_life_leaves_what_is_reachable(max_attempts: int, steps: list[tuple]) -> None:  # type: ignore[type-arg]  # of three forms
    life = Life(max_attempts)
    for step in steps:
        match step:
            case ("queue",):
                life.queue()
            case ("bind", most, reset):
                life.bind(most, reset_if_running=reset)
            case ("report", report, which, sender, *due):
                life.report(report, which, sender, *due)
        life.check()


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

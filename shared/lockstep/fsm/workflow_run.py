"""The workflow run's own small state machine: which moves there are, and why.

Source: the moves that Jobmon's server allows. Task instances do not take part in it.
"""

from typing import Final, NamedTuple

from lockstep.fsm.statuses import WorkflowRunStatus as Run


class RunEdge(NamedTuple):
    """A move of a workflow run, and the sentence that says when it happens."""

    source: Run
    target: Run
    reason: str


RUN_MOVES: Final = (
    RunEdge(Run.REGISTERED, Run.LINKING, "it has claimed its workflow"),
    RunEdge(Run.LINKING, Run.BOUND, "all its tasks are bound"),
    RunEdge(Run.LINKING, Run.ABORTED, "its tasks could not be bound"),
    RunEdge(Run.BOUND, Run.INSTANTIATED, "a distributor takes it"),
    RunEdge(Run.BOUND, Run.ERROR, "it failed before a distributor took it"),
    RunEdge(Run.BOUND, Run.COLD_RESUME, "another run takes the workflow over before it starts"),
    RunEdge(Run.BOUND, Run.HOT_RESUME, "another run takes the workflow over before it starts"),
    RunEdge(Run.INSTANTIATED, Run.LAUNCHED, "its distributor is up"),
    RunEdge(Run.INSTANTIATED, Run.ERROR, "its distributor did not come up"),
    RunEdge(Run.LAUNCHED, Run.RUNNING, "its tasks are being queued"),
    RunEdge(Run.LAUNCHED, Run.ERROR, "it failed before it queued anything"),
    RunEdge(Run.RUNNING, Run.DONE, "all its tasks are done"),
    RunEdge(Run.RUNNING, Run.ERROR, "a task failed for good, or the run itself"),
    RunEdge(Run.RUNNING, Run.STOPPED, "its user stopped it"),
    RunEdge(Run.RUNNING, Run.COLD_RESUME, "another run takes the workflow over: what runs must stop"),
    RunEdge(Run.RUNNING, Run.HOT_RESUME, "another run takes the workflow over: what runs may go on"),
    RunEdge(Run.COLD_RESUME, Run.TERMINATED, "it has stopped for the run that takes over"),
    RunEdge(Run.HOT_RESUME, Run.TERMINATED, "it has stopped for the run that takes over"),
)
"""The moves a workflow run may make."""


def sources(target: Run) -> frozenset[Run]:
    """The statuses from which a run may move to target."""
    return frozenset(edge.source for edge in RUN_MOVES if edge.target is target)


def _from_launched() -> frozenset[Run]:
    reached = {Run.LAUNCHED}
    for edge in RUN_MOVES:  # in their order a run never goes back
        if edge.source in reached:
            reached.add(edge.target)
    return frozenset(reached)


DISTRIBUTED: Final = _from_launched()
"""A run in one of these has had a distributor that was up; one that comes now is its successor."""

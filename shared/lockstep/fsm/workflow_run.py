"""The state machine of a workflow run and its workflow: the moves, and why; where the workflow goes with its run.

Source: the moves that Jobmon's server allows; departures 33 to 35 of docs/departures.md are ours. Task instances do not
take part in it. `make docs` generates docs/state-machine.md from this table too.
"""

from typing import Final, NamedTuple

from lockstep.fsm.statuses import WorkflowRunStatus as Run
from lockstep.fsm.statuses import WorkflowStatus as Workflow


class RunTransition(NamedTuple):
    """A move of a workflow run, and the sentence that says when it happens."""

    source: Run
    target: Run
    reason: str


RUN_MOVES: Final = (
    RunTransition(Run.REGISTERED, Run.LINKING, "it has claimed its workflow"),
    RunTransition(Run.LINKING, Run.BOUND, "all its tasks are bound"),
    RunTransition(Run.LINKING, Run.ABORTED, "its tasks could not be bound, or its client fell silent"),
    RunTransition(Run.BOUND, Run.INSTANTIATED, "a distributor takes it"),
    RunTransition(Run.BOUND, Run.ERROR, "it failed before a distributor took it"),
    RunTransition(Run.BOUND, Run.COLD_RESUME, "another run takes the workflow over before it starts"),
    RunTransition(Run.BOUND, Run.HOT_RESUME, "another run takes the workflow over before it starts"),
    RunTransition(Run.INSTANTIATED, Run.LAUNCHED, "its distributor is up"),
    RunTransition(Run.INSTANTIATED, Run.ERROR, "its distributor did not come up"),
    RunTransition(Run.LAUNCHED, Run.RUNNING, "its tasks are being queued"),
    RunTransition(Run.LAUNCHED, Run.ERROR, "it failed before it queued anything"),
    RunTransition(Run.RUNNING, Run.DONE, "all its tasks are done"),
    RunTransition(Run.RUNNING, Run.ERROR, "a task failed for good, or the run itself"),
    RunTransition(Run.RUNNING, Run.STOPPED, "its user stopped it"),
    RunTransition(Run.RUNNING, Run.COLD_RESUME, "another run takes the workflow over: what runs must stop"),
    RunTransition(Run.RUNNING, Run.HOT_RESUME, "another run takes the workflow over: what runs may go on"),
    RunTransition(Run.COLD_RESUME, Run.TERMINATED, "it has stopped for the run that takes over"),
    RunTransition(Run.HOT_RESUME, Run.TERMINATED, "it has stopped for the run that takes over"),
)
"""The moves that a run's client or distributor may ask for."""

DONE_AFTER_ALL: Final = (
    RunTransition(Run.COLD_RESUME, Run.DONE, "all its tasks were done before it could be stopped"),
    RunTransition(Run.HOT_RESUME, Run.DONE, "what ran has gone on until all its tasks were done"),
)
"""The moves that a run makes only if each task of its workflow is done."""

TAKEN_OVER: Final = tuple(
    RunTransition(source, target, "another run takes the workflow over")
    for source in (Run.BOUND, Run.INSTANTIATED, Run.LAUNCHED, Run.RUNNING)
    for target in (Run.COLD_RESUME, Run.HOT_RESUME)
)
"""The moves that a client makes of another one's run when it resumes the workflow."""


class Follow(NamedTuple):
    """A workflow's move when its run moves to a status, and the reason."""

    run: Run
    workflow: Workflow
    sources: frozenset[Workflow]
    """A workflow in another status stays: a person has moved it meanwhile."""
    reason: str


def _from(*sources: Workflow) -> frozenset[Workflow]:
    return frozenset(sources)


_ENDED: Final = _from(Workflow.REGISTERING, Workflow.FAILED, Workflow.HALTED, Workflow.ABORTED)
_STARTING: Final = _from(Workflow.QUEUED, Workflow.INSTANTIATING, Workflow.LAUNCHED)
_UNDER_WAY: Final = _STARTING | _from(Workflow.RUNNING)

WORKFLOW_FOLLOWS: Final = (
    Follow(Run.LINKING, Workflow.REGISTERING, _ENDED, "a run has claimed it"),
    Follow(Run.BOUND, Workflow.QUEUED, _from(Workflow.REGISTERING), "it waits for a distributor"),
    Follow(Run.ABORTED, Workflow.ABORTED, _from(Workflow.REGISTERING), "its run could not bind its tasks"),
    Follow(Run.INSTANTIATED, Workflow.INSTANTIATING, _from(Workflow.QUEUED), "a distributor takes its run"),
    Follow(Run.LAUNCHED, Workflow.LAUNCHED, _from(Workflow.INSTANTIATING), "its run's distributor is up"),
    Follow(Run.RUNNING, Workflow.RUNNING, _from(Workflow.LAUNCHED), "its run queues its tasks"),
    Follow(Run.DONE, Workflow.DONE, _UNDER_WAY, "all its tasks are done"),
    Follow(Run.ERROR, Workflow.FAILED, _UNDER_WAY, "its run failed"),
    Follow(Run.STOPPED, Workflow.FAILED, _UNDER_WAY, "its run was stopped"),
    Follow(Run.TERMINATED, Workflow.HALTED, _UNDER_WAY, "its run has stopped for another one"),
)
"""The moves of a workflow with the run that holds it. A run's other moves do not change the workflow."""


LINKABLE: Final = _ENDED
"""A workflow in one of these is free for a new run, if no other run holds it."""


def sources(target: str) -> frozenset[Run]:
    """The statuses from which a run may move to target."""
    return frozenset(transition.source for transition in RUN_MOVES if transition.target == target)


def followed_by(target: Run) -> Follow | None:
    """Return how a workflow moves when the run that holds it moves to target. None: it stays."""
    return next((follow for follow in WORKFLOW_FOLLOWS if follow.run is target), None)


def run_reason_of(source: Run | None, target: Run) -> str | None:
    """Why a run moved, by the statuses between which it did. None: it never makes that move.

    source: None if it is new: a run begins with the claim on its workflow.

    >>> run_reason_of(Run.RUNNING, Run.DONE)
    'all its tasks are done'
    """
    moves = (*RUN_MOVES, *DONE_AFTER_ALL, *TAKEN_OVER)
    between = (source or Run.REGISTERED, target)
    return next((transition.reason for transition in moves if (transition.source, transition.target) == between), None)


def workflow_reason_of(source: Workflow | None, target: Workflow) -> str | None:
    """Why a workflow moved, by the statuses between which it did. None: it never makes that move.

    source: None if it is new. Where several moves of its run lead there, all their reasons.

    >>> workflow_reason_of(Workflow.RUNNING, Workflow.FAILED)
    'its run failed, or its run was stopped'
    """
    if source is None:
        return "it is bound, or has its first array" if target is Workflow.REGISTERING else None
    follows = (follow for follow in WORKFLOW_FOLLOWS if follow.workflow is target and source in follow.sources)
    return ", or ".join(follow.reason for follow in follows) or None


def _from_launched() -> frozenset[Run]:
    reached = {Run.LAUNCHED}
    for transition in RUN_MOVES:  # in their order a run never goes back
        if transition.source in reached:
            reached.add(transition.target)
    return frozenset(reached)


DISTRIBUTED: Final = _from_launched()
"""A run in one of these has had a distributor that was up; one that comes now is its successor."""

RUN_ENDED: Final = frozenset(run for run in Run if not any(transition.source is run for transition in RUN_MOVES))
"""A run in one of these holds its workflow no more."""

MAY_QUEUE: Final = frozenset(Run) - RUN_ENDED - {Run.COLD_RESUME, Run.HOT_RESUME}
"""Only a run in one of these gives tasks another attempt: one that ends for a resume starts nothing."""

MAY_TAKE: Final = frozenset(Run) - RUN_ENDED
"""Only of a run in one of these does a distributor take what was queued."""

GIVEN_UP: Final = {
    Run.LINKING: Run.ABORTED,
    Run.BOUND: Run.ERROR,
    Run.INSTANTIATED: Run.ERROR,
    Run.LAUNCHED: Run.ERROR,
    Run.RUNNING: Run.ERROR,
    Run.COLD_RESUME: Run.TERMINATED,
    Run.HOT_RESUME: Run.TERMINATED,
}
"""The end of a run whose client is late, by the run's status, once another client wants its workflow."""

"""What must hold whatever the oracle says: of two tables that follow each other, and of each table."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from ops.audit.invariants.pairs import reachable
from ops.audit.small import check_table
from tests.verification.model.picture import Items, Picture

ENDED: Final = set("DEUZWF")
RUN_ENDED: Final = set("ADEST")
STARTS_NOTHING: Final = RUN_ENDED | set("CH")
STANDS_WITH: Final = {"L": "G", "B": "Q", "I": "I", "O": "O", "R": "R", "C": "QIOR", "H": "QIOR"}
"""How a workflow may stand whose run is in a status."""
FREE: Final = set("GADFH")
"""How a workflow may stand that no run holds."""


def broken_promises(before: Picture, after: Picture, items: Items) -> list[str]:
    """Ends undone, starts after an end, contradictions, broken invariants of the stored items; a line each."""
    found = [*_undone(before, after), *_started(before, after), *_contradictions(after)]
    return found + [str(finding) for finding in check_table(items)]


def _undone(before: Picture, after: Picture) -> Iterator[str]:
    ends = {"instance": ENDED, "task": {"D"}, "run": RUN_ENDED}
    for key, was in before.items():
        if key[0] in ends and was.status in ends[key[0]] and after[key].status != was.status:
            yield f"{key} was {was.status} and is {after[key].status}"


def _started(before: Picture, after: Picture) -> Iterator[str]:
    """Attempts that a run gave which starts nothing any more, or which may start though it was stopped."""
    for key, instance in after.items():
        if key[0] == "instance":
            run = after.get(("run", instance.workflow_run_id))
            was = before.get(("run", instance.workflow_run_id))
            stood = before[key].status if key in before else ""
            if key not in before and was and was.status in STARTS_NOTHING:
                yield f"{key} is an attempt of a run that is {was.status}"
            if stood + instance.status == "QI" and was and was.status in RUN_ENDED:
                yield f"{key} was taken, though its run is {was.status}"
            if run and run.status == "T" and instance.status in "QIO":
                yield f"{key} is {instance.status}, though its run has stopped"


def _contradictions(after: Picture) -> Iterator[str]:
    """A workflow and its runs: at most one has not ended, it holds the workflow, and both stand alike."""
    going_on: dict[int, list[int]] = defaultdict(list)
    for (kind, number), run in after.items():
        if kind == "run" and run.status not in RUN_ENDED:
            going_on[run.workflow_id].append(number)
    for (kind, number), workflow in after.items():
        if kind == "workflow":
            runs = going_on[number]
            holder = after["run", runs[0]].status if len(runs) == 1 else ""
            if len(runs) > 1 or workflow.workflow_run_id != next(iter(runs), None):
                yield f"workflow {number} is held by {workflow.workflow_run_id}; its runs that go on are {runs}"
            elif workflow.status not in STANDS_WITH.get(holder, FREE):
                yield f"workflow {number} is {workflow.status}, and its run is {holder or 'none'}"


for rebound in (False, True):
    reachable(rebound=rebound)  # computed before a deliberate mistake changes the rules

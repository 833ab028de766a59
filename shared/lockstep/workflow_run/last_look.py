"""When a run ends: see once more what became of its instances, because nobody sweeps or polls it any more."""

from typing import Final

from lockstep.array.last_seen import Seen, remember
from lockstep.array.portions import with_instances
from lockstep.array.run_index import unended_batches
from lockstep.context import deadline
from lockstep.fsm.transitions import UNENDED
from lockstep.task_instance.read import read_instances

MOST_GROUPS: Final = 2
"""The groups of portions that are looked at: about 4,000 instances. Polls have noted the others."""
_ENOUGH: Final = 0.6
"""The share of the time after which no other group is looked at."""


def look_once_more(workflow_run_id: int) -> None:
    """Note in a run's batches what became of the instances that were last seen under way."""
    for number, group in enumerate(with_instances(unended_batches(workflow_run_id), UNENDED), 1):
        found = read_instances((key for _, steps in group for key in steps.values()), consistent=True)
        remember(Seen.read(portion, steps, found) for portion, steps in group)
        if number == MOST_GROUPS or deadline().spent(_ENOUGH):
            return

"""What was told to whom, and so what must hold in the end."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from local.soak.client import Answer
from local.soak.tally import Tally
from lockstep.statuses import TaskInstanceStatus
from lockstep.transitions import has_ended


class Limbo(NamedTuple):
    """A report that was sent again and again: when first, and when last. Any of these may have landed late."""

    since: float
    until: float


@dataclass(slots=True)
class Instance:
    """What was heard about one instance."""

    end: TaskInstanceStatus | None = None
    """The status in which it had ended, by some reply: that one stands."""
    ended_at: float = 0.0
    """When that reply came."""
    done_reported: bool = False
    """A worker has said that it finished, and may have been heard."""
    must_say: set[str] = field(default_factory=set)
    """Error entries that somebody was answered to be there."""
    may_say: set[str] = field(default_factory=set)
    """Error entries that were sent and, by what was answered, may be there."""
    runner: str | None = None
    """The worker that was last told to run it."""
    heard_at: float = 0.0
    """When the last report of it was sent that was answered."""
    limbo: list[Limbo] = field(default_factory=list)
    """Reports of it that may have landed after a later one, and set report_by back."""


LIMBO_SECONDS: Final = 20.0
"""How long a report that was not answered may be under way: a function's time, and a frozen engine's."""


class Record:
    """Of all instances."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.instances: defaultdict[int, Instance] = defaultdict(Instance)

    def told(self, task_instance_id: int, status: TaskInstanceStatus, sent_at: float) -> None:
        """Somebody who asked at a moment was answered this status. None that it has ended in is ever taken back."""
        instance = self.instances[task_instance_id]
        if instance.end not in {None, status} and sent_at > instance.ended_at:
            self._tally.must_not_be(f"{task_instance_id} was told to be {status} after it had ended in {instance.end}")
        if has_ended(status) and instance.end is None:
            instance.end, instance.ended_at = status, time.time()

    def told_to_run(self, task_instance_id: int, worker: str, answer: Answer, due: float) -> None:
        """A worker was told to run it. No other one may be expected to report still.

        due is how many seconds after a report the next one is due. The server set report_by after the report was
        sent, so it had not passed before sent_at + due; unless an earlier report, which had not been answered, landed
        after that one and set it back. That is counted. It set it to due after it was sent itself, at the earliest: one
        by which the instance would not be overdue yet is no excuse.
        """
        instance, at = self.instances[task_instance_id], time.time()
        if instance.runner not in {None, worker} and at < instance.heard_at + due:
            late = instance.heard_at + due - at
            if any(sent.since + due < at and instance.heard_at < sent.until + LIMBO_SECONDS for sent in instance.limbo):
                self._tally.count("workers overtaken after a report in limbo")
            else:
                self._tally.must_not_be(
                    f"{worker} was told to run {task_instance_id} {late:.3f} s before {instance.runner} was overdue"
                )
        if instance.runner != worker:
            instance.runner, instance.heard_at = worker, answer.sent_at
        self.heard(task_instance_id, worker, answer)

    def heard(self, task_instance_id: int, worker: str, answer: Answer) -> None:
        """A report that moves report_by was answered."""
        instance = self.instances[task_instance_id]
        if instance.runner == worker:
            instance.heard_at = max(answer.sent_at, instance.heard_at)
        if answer.tries > 1:
            self.in_limbo(task_instance_id, answer.first_sent_at, answer.sent_at)

    def in_limbo(self, task_instance_id: int, since: float, until: float) -> None:
        """A report that moves report_by may be under way, sent between these moments."""
        self.instances[task_instance_id].limbo.append(Limbo(since, until))

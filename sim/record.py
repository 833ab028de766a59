"""Record the replies to a cluster's programs about each instance, and so the state that must hold in the end."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.fsm.transitions import has_ended
from sim.client import Reply
from sim.tally import Tally


class Limbo(NamedTuple):
    """A report that was sent again and again: when first, and when last. Any of these may have landed late."""

    since: float
    until: float


@dataclass(slots=True)
class Instance:
    """The replies to programs about one instance."""

    status: TaskInstanceStatus | None = None
    """The status that a reply told last."""
    end: TaskInstanceStatus | None = None
    """The status in which it had ended, by some reply: that one stands."""
    ended_at: float = 0.0
    """When that reply came."""
    done_reported: bool = False
    """A worker has reported success; the report may have landed."""
    must_say: set[str] = field(default_factory=set)
    """Error entries whose report was answered."""
    may_say: set[str] = field(default_factory=set)
    """Error entries whose report was sent."""
    runner: str | None = None
    """The worker that was last told to run it."""
    heard_at: float = 0.0
    """When the last answered report of it was sent."""
    limbo: list[Limbo] = field(default_factory=list)
    """Reports of it that may have landed after a later one, and set report_by back."""


LIMBO_SECONDS: Final = 20.0
"""How long a report without an answer may be under way: a function's time, and a frozen engine's."""


class Record:
    """All instances. Any thread may use it."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._lock = threading.RLock()
        self.instances: defaultdict[int, Instance] = defaultdict(Instance)

    def statuses(self) -> Counter[TaskInstanceStatus]:
        """Count the instances by the status that was told last."""
        with self._lock:
            return Counter(each.status for each in self.instances.values() if each.status)

    def told(self, instance_id: int, status: TaskInstanceStatus, sent_at: float) -> None:
        """Note a status that was the answer to a request sent at that time. An end is never taken back."""
        with self._lock:
            instance = self.instances[instance_id]
            if instance.end not in {None, status} and sent_at > instance.ended_at:
                self._tally.must_not_be(f"{instance_id} was told to be {status} after it had ended in {instance.end}")
            if has_ended(status) and instance.end is None:
                instance.end, instance.ended_at = status, time.time()
            instance.status = instance.end or status

    def launched(self, instance_ids: Iterable[int]) -> None:
        """Note that instances were reported to be launched. A worker may have been quicker."""
        with self._lock:
            for instance_id in instance_ids:
                instance = self.instances[instance_id]
                instance.status = instance.status or TaskInstanceStatus.LAUNCHED

    def reports_done(self, instance_id: int) -> None:
        """Note that a worker is about to report success."""
        with self._lock:
            self.instances[instance_id].done_reported = True

    def reports_error(self, instance_id: int, why: str, *, answered: bool) -> None:
        """Note that an error entry is about to be reported, or that its report was answered."""
        with self._lock:
            instance = self.instances[instance_id]
            (instance.must_say if answered else instance.may_say).add(why)

    def is_run_by(self, instance_id: int, worker: str) -> bool:
        """Whether no other worker was told to run an instance after this one. What such a worker says counts."""
        with self._lock:
            return self.instances[instance_id].runner == worker

    def told_to_run(self, instance_id: int, worker: str, reply: Reply, due: float) -> None:
        """Note that a worker was told to run an instance. No other worker may be expected to report it still.

        due is how many seconds after a report the next one is due. The server set report_by after the report was
        sent, so it had not passed before sent_at + due; unless an earlier report, which had not been answered, landed
        after that one and set it back. That is counted. It set it to due after it was sent itself, at the earliest: one
        by which the instance would not be overdue yet is no excuse.
        """
        with self._lock:
            instance, at = self.instances[instance_id], time.time()
            if instance.runner not in {None, worker} and at < instance.heard_at + due:
                late = instance.heard_at + due - at
                if any(
                    sent.since + due < at and instance.heard_at < sent.until + LIMBO_SECONDS for sent in instance.limbo
                ):
                    self._tally.count("workers overtaken after a report in limbo")
                else:
                    self._tally.must_not_be(
                        f"{worker} was told to run {instance_id} {late:.3f} s before {instance.runner} was overdue"
                    )
            if instance.runner != worker:
                instance.runner, instance.heard_at = worker, reply.sent_at
            self.heard(instance_id, worker, reply)

    def heard(self, instance_id: int, worker: str, reply: Reply) -> None:
        """Note the answer to a report that moves report_by."""
        with self._lock:
            instance = self.instances[instance_id]
            if instance.runner == worker:
                instance.heard_at = max(reply.sent_at, instance.heard_at)
            if reply.tries > 1:
                self.in_limbo(instance_id, reply.first_sent_at, reply.sent_at)

    def in_limbo(self, instance_id: int, since: float, until: float) -> None:
        """Note that a report that moves report_by may be under way, sent between these times."""
        with self._lock:
            self.instances[instance_id].limbo.append(Limbo(since, until))

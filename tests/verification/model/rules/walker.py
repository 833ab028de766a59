"""Send a request, compare everything with the oracle; choose whom a rule is about."""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import wraps
from itertools import cycle
from typing import Any, ClassVar, Final, TypeVar, cast

from hypothesis import stateful
from hypothesis import strategies as st

from tests.verification.model import picture
from tests.verification.model.follower import Follower
from tests.verification.model.oracle import Oracle
from tests.verification.model.oracle.state import Refused, Run, Unknown
from tests.verification.model.promises import broken_promises
from tests.verification.model.replies import comparable
from tests.verification.model.rules.draws import UNKNOWN_RUN, UNKNOWN_WORKFLOW, choose
from tests.verification.model.system import System
from tests.verification.model.tally import Tally

ABOUT_RUN: Final = {
    "update_workflow_run_status",
    "log_workflow_run_heartbeat",
    "terminate_task_instances",
    "set_status_for_triaging",
    "sync_status",
}
ABOUT_WORKFLOW: Final = {
    "create_workflow_run",
    "bind_workflow",
    "task_status_updates",
    "set_resume",
    "is_resumable",
    "force_cleanup_kill_self",
    "set_resume_state",
    "increase_resources",
}
ASKED: Final = ("status", "reset_running_jobs", "reset_if_running")
"""What a request about a run or a workflow asks for."""


class Walker(stateful.RuleBasedStateMachine):
    """One example: the API, the oracle, and how the table stood after the last request."""

    system: ClassVar[System]
    tally: ClassVar[Tally]

    def __init__(self) -> None:
        super().__init__()
        self.system.begin_again()
        self.oracle = Oracle()
        self.reader = picture.Reader()
        self.stands: picture.Picture = {}
        self.items: picture.Items = {}
        self.last: tuple[str, tuple[int, ...], dict[str, Any]] | None = None
        self.followers: dict[int, Follower] = {}
        """The client of each workflow that polls."""
        self.skewed = self.failed = self.closing = False
        self.nodes = 0
        self.tally.examples += 1

    # Sending and comparing.

    def call(self, route: str, *ids: int, skew: float = 0, **body: Any) -> Any:
        """The reply; an AssertionError where it, or what stands after it, is not what the oracle says."""
        self.system.clock.skew = skew if self.skewed else 0
        self.oracle.now, self.oracle.skewed = self.system.clock.time(), self.skewed
        self.last = route, ids, body
        self._count(route, ids, body)
        self.failed = True
        try:
            wanted = 200, getattr(self.oracle, route)(*ids, **body)
        except Unknown:
            wanted = 404, None
        except Refused:
            wanted = 422, None
        code, reply = self.system.send(route, *ids, **body)
        reply = comparable(route, reply) if code == 200 else reply
        assert (code, reply if code == 200 else None) == wanted, (
            f"{route} {ids} {body} answers {code} {reply}, not {wanted}"
        )
        if not self.closing:
            self._compare(f"{route} {ids}")
        self.failed = False
        return reply

    def _count(self, route: str, ids: tuple[int, ...], body: dict[str, Any]) -> None:
        self.tally.requests[route] += 1
        number = ids[0] if ids else int(body.get("workflow_id", 0))
        if i := self.oracle.instances.get(number):
            detail = (body.get("error_state", ""), i.status, i.task.status, str(i.task.left))
            self.tally.situations.add((route, *detail, str(self._has_passed(i.report_by))))
        elif run := self._run_about(route, number):
            workflow = self.oracle.workflows[run.workflow]
            asked = "".join(str(body[name]) for name in ASKED if name in body)
            detail = (asked, run.status, workflow.status, str(workflow.created is not None))
            self.tally.situations.add((route, *detail, str(self._has_passed(run.heard))))

    def _run_about(self, route: str, number: int) -> Run | None:
        """The run that a request names, or that holds the workflow which it names."""
        if route in ABOUT_RUN:
            return self.oracle.runs.get(number)
        workflow = self.oracle.workflows.get(number) if route in ABOUT_WORKFLOW else None
        return self.oracle.runs.get(workflow.holder or 0) if workflow else None

    def _has_passed(self, moment: float | None) -> bool:
        return moment is not None and moment < self.oracle.now

    def _compare(self, what: str) -> None:
        self._settle_late()
        items, wanted = self.system.items, picture.expected(self.oracle)
        found = self.stands if items is self.items else self.reader.picture(items)
        self.tally.compared += len(found)
        assert not (odd := picture.differences(found, wanted)), f"after {what}:\n{odd}"
        if items is not self.items:
            broken = broken_promises(self.stands, found, items)
            assert not broken, f"after {what}:\n" + "\n".join(broken)
            self.tally.moving[what.partition(" ")[0]] += picture.statuses(found) != picture.statuses(self.stands)
        self.stands, self.items = found, items

    def _settle_late(self) -> None:
        for number, target in self.oracle.late.items():
            key = f"TASK#{number // 1000}", f"TI#{number % 1000:03d}"
            if self.system.items[key]["status"]["S"] == target:
                self.oracle.move(self.oracle.instances[number], target, stays=True)
            else:
                self.tally.later += not self.skewed
        self.oracle.late.clear()

    def teardown(self) -> None:
        """Read everything once more over HTTP."""
        if not self.failed:
            self.closing = True
            self._read_instances()
            self._read_workflows()
            self._compare("the end")
            self.tally.attempts += Counter(task.made for task in self.oracle.tasks.values())
            self.tally.runs += Counter(run.status for run in self.oracle.runs.values())
            self.tally.edges += self.oracle.walked

    def _read_instances(self) -> None:
        for number in self.oracle.instances:
            self.call("get_task_instance", number)
            self.call("task_instance_error_log", number)
        for place in self.oracle.steps:
            self.call("get_array_task_instance_id", *place)
        for run in {i.run for i in self.oracle.instances.values()}:
            for status in "QIORTXK":
                self.call("sync_status", run, task_instance_ids=[], status=status)

    def _read_workflows(self) -> None:
        for task in self.oracle.tasks:
            self.call("most_recent_ti_error", task)
        for workflow in [*self.oracle.workflows, UNKNOWN_WORKFLOW]:
            self.call("task_status_updates", workflow)
            self.call("get_workflow_limit", workflow)
            self.call("fetch_workflow_metadata", workflow)
            self.call("get_tasks", workflow, max_task_id=0, chunk_size=5)
            self.call("get_tasks", workflow, max_task_id=5, chunk_size=500)

    # Choosing.

    def pick(self, pick: int, statuses: str) -> int:
        """An instance, mostly one in such a status; now and then one that does not exist."""
        if pick == 1023:
            return 999_001
        everyone = [*self.oracle.instances]
        wanted = [i.id for i in self.oracle.instances.values() if i.status in statuses]
        return choose(pick, wanted if wanted and pick % 8 else everyone or [1000])

    def subset(self, bits: int, ids: Iterable[int]) -> list[int]:
        """Some, in an order of their own, the first one twice, and what there is not."""
        some = [number for number, bit in zip(ids, cycle(range(9)), strict=False) if bits >> bit & 1]
        return [*reversed(some), *some[:1], 0, 999_001] if bits % 2 else some

    def batch(self, pick: int, statuses: str) -> tuple[int, int]:
        """Array and number of a batch, mostly one with an instance in such a status."""
        number = self.pick(pick, statuses)
        return self.oracle.instances[number].place[:2] if number in self.oracle.instances else (1, 99)

    def pick_workflow(self, pick: int) -> int:
        """A workflow, mostly one with tasks; now and then one that does not exist."""
        return choose(pick, [1, 2, 1, 2, 1, 2, *self.oracle.workflows, UNKNOWN_WORKFLOW])

    def pick_run(self, pick: int) -> int:
        """A run, mostly one that holds its workflow; now and then one that does not exist."""
        holders = [workflow.holder for workflow in self.oracle.workflows.values() if workflow.holder]
        return choose(pick // 4, holders if holders and pick % 4 else [*self.oracle.runs, UNKNOWN_RUN])

    def run_of(self, workflow_id: int, pick: int) -> int:
        """The run that holds a workflow, if one does; else, and now and then, any."""
        holder = self.oracle.workflows[workflow_id].holder
        return holder if holder and pick % 8 else self.pick_run(pick)


Follow = TypeVar("Follow", bound=Callable[..., None])


def rule(**draws: st.SearchStrategy[Any]) -> Callable[[Follow], Follow]:
    """A rule of the walk, which counts how often it is followed."""

    def counting(follow: Follow) -> Follow:
        @wraps(follow)
        def counted(walker: Walker, *given: Any, **drawn: Any) -> None:
            walker.tally.rules[follow.__name__] += 1
            follow(walker, *given, **drawn)

        return cast("Follow", stateful.rule(target=None, targets=(), **draws)(counted))

    return counting

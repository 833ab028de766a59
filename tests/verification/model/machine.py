"""Many tasks at once through the API, each step compared with the oracle."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from typing import Any, ClassVar, Final, TypeVar

from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.verification.model import picture
from tests.verification.model.oracle import Instance, Oracle, Refused, Task, Unknown
from tests.verification.model.picture import ENDED
from tests.verification.model.system import System, system

C = TypeVar("C")
PICK: Final = st.integers(0, 1023)
"""Which of those that there are; or, as bits, which of them."""
INCREMENT: Final = st.sampled_from([279, 90, 300, 279.5, 0, -1, 30, 5, 267.84, 270, -0.001, 400 * 86_400, -1e9, 1e9])
SKEW: Final = st.sampled_from([0, 0, 1, -1, 300, -300, 0.25, -60])
PASSING: Final = st.sampled_from([1, 30, 0.001, 100, 11, 270, 279, 279.001, 280, 600, 560, 90_000, 400 * 86_400])
STARTS: Final = st.sampled_from([1_700_000_000.0, 2.0**31 - 300, 1_699_162_200.0, 1_000_000_000.0, 4_102_444_799.5])
"""Seconds since 1970: among them where 31 bits end, an hour that comes twice elsewhere, and the end of a century."""
WORKER: Final = st.sampled_from(
    [
        {"process_group_id": 11, "nodename": "n1"},
        {"process_group_id": "11", "nodename": "n1"},
        {"process_group_id": 22, "nodename": "n2", "distributor_id": "D2"},
        {"process_group_id": 11, "nodename": None, "distributor_id": "D1"},
        {"process_group_id": 11, "nodename": "n1", "distributor_id": "D1"},
    ]
)
OUTPUT: Final = st.sampled_from(
    [
        {},
        {"stdout": "/out", "stderr": None, "distributor_id": "D1"},
        {"stdout": "/long" * 50, "stderr": "/err", "distributor_id": None},
        {"stdout": "", "stderr": "/Ä" * 90, "distributor_id": "D3"},
    ]
)
LOGS: Final = st.sampled_from(
    [{}, {"stdout_log": "said", "stderr_log": "", "nodename": "n1"}, {"stdout_log": "\ud800"}]
)
WORDS: Final = st.sampled_from(["boom", "killed", "boom: 💥", "\ud800 cut", ""])
FAILURE: Final = st.sampled_from("EZUF")
MOST_ATTEMPTS: Final = st.sampled_from([3, 1, 2, 0, 4])
ARRAYS: Final = {1: (1, 1), 2: (1, 2), 3: (2, 1)}
RESOURCES: Final = [1, 2, 3, 999]
"""One of which nobody has bound."""
RUNS: Final = [1, 2, 3, 77]
"""One of which nobody has made known."""


@dataclass
class Tally:
    """What was walked, over all examples."""

    examples: int = 0
    rules: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    moving: Counter[str] = field(default_factory=Counter)
    """Requests that moved a task or an instance."""
    compared: int = 0
    """Items that were compared, over all steps."""
    situations: set[tuple[str, ...]] = field(default_factory=set)
    """Report, error state, instance's status, task's status, whether attempts were left and whether it was overdue."""
    edges: Counter[tuple[str, str]] = field(default_factory=Counter)
    attempts: Counter[int] = field(default_factory=Counter)
    later: int = 0
    """Overdue instances that a sweep left to a later one, though all clocks agreed."""

    def add(self, more: "Tally") -> None:
        for name, value in vars(more).items():
            if isinstance(value, set):
                self.situations |= value
            else:
                setattr(self, name, getattr(self, name) + value)


class Machine(RuleBasedStateMachine):
    """The rules of the walk. Each sends requests, and after each request everything is compared."""

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
        if route == "task_instance_error_log" and code == 200:
            reply = _as_said(reply["task_instance_error_log"])
        assert (code, reply if code == 200 else None) == wanted, (
            f"{route} {ids} {body} answers {code} {reply}, not {wanted}"
        )
        if not self.closing:
            self._compare(f"{route} {ids}")
        self.failed = False
        return reply

    def _count(self, route: str, ids: tuple[int, ...], body: dict[str, Any]) -> None:
        self.tally.requests[route] += 1
        if i := self.oracle.instances.get(ids[0] if ids else 0):
            left = i.task.attempts < i.task.bound[1][6]
            late = i.report_by is not None and i.report_by < self.oracle.now
            self.tally.situations.add(
                (route, body.get("error_state", ""), i.status, i.task.status, str(left), str(late))
            )

    def _compare(self, what: str) -> None:
        self._settle_late()
        items, wanted = self.system.items, picture.expected(self.oracle)
        found = self.stands if items is self.items else self.reader.picture(items)
        self.tally.compared += len(found)
        assert not (odd := picture.differences(found, wanted)), f"after {what}:\n{odd}"
        if items is not self.items:
            broken = picture.broken_promises(self.stands, found, items)
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
        if not self.failed:
            self.closing = True
            for number in self.oracle.instances:
                self.call("get_task_instance", number)
                self.call("task_instance_error_log", number)
            for place in self.oracle.steps:
                self.call("get_array_task_instance_id", *place)
            for run in RUNS:
                for status in "QIORTXK":
                    self.call("sync_status", run, task_instance_ids=[], status=status)
            self._compare("the end")
            self.tally.attempts += Counter(task.made for task in self.oracle.tasks.values())
            self.tally.edges += self.oracle.walked

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

    # What a workflow consists of.

    @initialize(
        start=STARTS,
        skewed=st.booleans(),
        nodes=st.integers(4, 13),
        attempts=st.sampled_from([3, 4, 2]),
        seed=PICK,
        steps=st.integers(0, 90).map(lambda steps: 90 - steps),
    )
    def begin(
        self,
        *,
        start: float,
        skewed: bool,
        nodes: int,
        attempts: int,
        seed: int,
        steps: int,
    ) -> None:
        """Three arrays in two workflows, three runs, and lives that are a little under way."""
        self.system.clock.start, self.skewed, self.nodes = start, skewed, nodes
        for requested in ({"stdout": "/o", "stderr": "/e"}, {"stdout": "/o2", "memory": 1}, {}):
            self.call("bind_resources", queue_id=1, requested_resources=requested)
        for array, (workflow, version) in ARRAYS.items():
            self.make_array(array - 1)
            assert self.oracle.arrays[workflow, version] == array
            self.bind_tasks(array - 1, 1023, attempts, reset=False)
        for workflow in (1, 2, 3):
            self.call("bind_tasks_no_args", workflow_id=workflow, mark_created=True, tasks={})
            self.call("create_workflow_run", workflow_id=workflow, next_report_increment=90)
        for array in ARRAYS:
            self.queue(array - 1, 1023, array - 1)
        chance = Random(seed)  # noqa: S311  # no secret
        for _ in range(steps):
            worker = {"process_group_id": chance.randrange(11, 14), "nodename": "n1"}
            self.live(
                [chance.randrange(1023)] * 2, chance.choice("EZUF"), chance.choice([279, 279, 30, -1]), worker, skew=0
            )
            match chance.choices(["", "silence", "resume", "succession", "repeat"], [70, 7, 5, 3, 15]):
                case ["silence"]:
                    self.fall_silent(chance.choice([31, 280, 280, 560]), skew=0)
                case ["resume"]:
                    self.resume(chance.randrange(3), chance.choice(["C", "H"]), skew=0)
                case ["succession"]:
                    self.succeed(chance.randrange(3), skew=0)
                case ["repeat"]:
                    self.repeat(skew=0)

    @rule(pick=PICK)
    def make_array(self, pick: int) -> None:
        self.tally.rules["make_array"] += 1
        workflow, version = ARRAYS[pick % 3 + 1]
        array: dict[str, Any] = {
            "task_template_version_id": version,
            "max_concurrently_running": pick,
            "name": f"array {pick % 5}",
        }
        self.call("create_array", workflow_id=workflow, **array)

    @rule(pick=PICK, bits=PICK, attempts=MOST_ATTEMPTS, reset=st.booleans())
    def bind_tasks(self, pick: int, bits: int, attempts: int, reset: bool) -> None:  # noqa: FBT001  # hypothesis's arguments
        self.tally.rules["bind_tasks"] += 1
        array = pick % 3 + 1
        first, into = 100 * array, choose(pick, [array] * 20 + [1, 2, 3, 77])
        nodes = [node for node in self.subset(bits, range(first, first + self.nodes)) if node // first == 1]
        what: tuple[Any, ...] = choose(pick, RESOURCES), f"t{pick % 7}", f"run {pick}", attempts, reset, {}, []
        rows = {f"{place} {node}": [node, 10**77 + node, into, *what] for place, node in enumerate(nodes)}
        self.call("bind_tasks_no_args", workflow_id=ARRAYS[array][0], mark_created=True, tasks=rows)

    @rule(pick=PICK, bits=PICK, run=PICK)
    def queue(self, pick: int, bits: int, run: int) -> None:
        self.tally.rules["queue"] += 1
        tasks = self.subset(bits, self.oracle.tasks)
        ids = {"task_resources_id": choose(run, RESOURCES), "workflow_run_id": choose(run, RUNS)}
        self.call("queue_task_batch", pick % 3 + 1, task_ids=tasks, **ids)

    # The distributor.

    @rule(bits=PICK, statuses=st.sampled_from(["Q", "QI", "QIORTXKDEUZWF"]), skew=SKEW)
    def instantiate(self, bits: int, statuses: str, skew: float) -> None:
        self.tally.rules["instantiate"] += 1
        ids = [i.id for i in self.oracle.instances.values() if i.status in statuses]
        self.call("instantiate_task_instances", task_instance_ids=self.subset(bits, ids), skew=skew)

    @rule(pick=PICK, increment=INCREMENT, skew=SKEW)
    def launch_batch(self, pick: int, increment: float, skew: float) -> None:
        self.tally.rules["launch_batch"] += 1
        array, batch = self.batch(pick, "I")
        self.call("transition_to_launched", array, batch_number=batch, next_report_increment=increment, skew=skew)

    @rule(pick=PICK, increment=INCREMENT, skew=SKEW)
    def log_distributor_id(self, pick: int, increment: float, skew: float) -> None:
        self.tally.rules["log_distributor_id"] += 1
        number = self.pick(pick, "IIORE")
        self.call(
            "log_distributor_id", number, distributor_id=f"D{pick % 3}", next_report_increment=increment, skew=skew
        )

    @rule(pick=PICK, bits=PICK)
    def log_distributor_ids(self, pick: int, bits: int) -> None:
        self.tally.rules["log_distributor_ids"] += 1
        ids: dict[str, Any] = {str(number): f"D{number % 4}" for number in self.subset(bits, self.oracle.instances)}
        self.call("array_log_distributor_id", pick % 3 + 1, **ids)

    @rule(pick=PICK, words=WORDS, skew=SKEW)
    def log_no_distributor_id(self, pick: int, words: str, skew: float) -> None:
        self.tally.rules["log_no_distributor_id"] += 1
        self.call("log_no_distributor_id", self.pick(pick, "IW"), no_id_err_msg=words, skew=skew)

    @rule(bits=PICK, increment=INCREMENT, skew=SKEW)
    def batch_heartbeat(self, bits: int, increment: float, skew: float) -> None:
        self.tally.rules["batch_heartbeat"] += 1
        ids = self.subset(bits, self.oracle.instances)
        self.call("log_report_by_batch", task_instance_ids=ids, next_report_increment=increment, skew=skew)

    @rule(pick=PICK)
    def kill_batch(self, pick: int) -> None:
        self.tally.rules["kill_batch"] += 1
        array, batch = self.batch(pick, "K")
        self.call("transition_to_killed", array, batch_number=batch)

    @rule(run=PICK, bits=PICK, status=st.sampled_from("QIORTKXDEFUZWB"), skew=SKEW)
    def poll(self, run: int, bits: int, status: str, skew: float) -> None:
        self.tally.rules["poll"] += 1
        known = [i.id for i in self.oracle.instances.values() if i.status == status or i.id % 5 == bits % 5]
        ids = self.subset(bits, known)
        self.call("sync_status", choose(run, RUNS), task_instance_ids=ids, status=status, skew=skew)

    # The worker node.

    @rule(pick=PICK, worker=WORKER, increment=INCREMENT, skew=SKEW, statuses=st.sampled_from(["O", "RT", "KX", "IT"]))
    def log_running(self, pick: int, worker: dict[str, Any], increment: float, skew: float, statuses: str) -> None:
        self.tally.rules["log_running"] += 1
        self.start(self.pick(pick, statuses), worker, increment, skew)

    def start(self, number: int, worker: dict[str, Any], increment: float, skew: float) -> None:
        """A worker node starts: where another one runs the instance, only if that one has fallen silent."""
        before = self.stands.get(("instance", number))
        reply = self.call("log_running", number, next_report_increment=increment, **worker, skew=skew)
        if before and before[0] in "RT" and reply["task_instance"][1] == "R" and before[2] >= self.oracle.now:
            after = self.stands["instance", number]
            assert after[9:11] == before[9:11], (
                f"{number} was {before[9:11]}'s until {before[2]}, and now is {after[9:11]}'s"
            )

    @rule(pick=PICK, increment=INCREMENT, output=OUTPUT, skew=SKEW, statuses=st.sampled_from(["R", "T", "OXK", "RT"]))
    def heartbeat(self, pick: int, increment: float, output: dict[str, Any], skew: float, statuses: str) -> None:
        self.tally.rules["heartbeat"] += 1
        self.call("log_report_by", self.pick(pick, statuses), next_report_increment=increment, **output, skew=skew)

    @rule(pick=PICK, output=OUTPUT, logs=LOGS, skew=SKEW, statuses=st.sampled_from(["R", "T", "KU", "D"]))
    def log_done(self, pick: int, output: dict[str, Any], logs: dict[str, Any], skew: float, statuses: str) -> None:
        self.tally.rules["log_done"] += 1
        self.call("log_done", self.pick(pick, statuses), **output, **logs, skew=skew)

    @rule(
        pick=PICK,
        failure=FAILURE,
        words=WORDS,
        logs=LOGS,
        skew=SKEW,
        statuses=st.sampled_from(["R", "T", "KUEZ", "RT"]),
    )
    def log_error(self, pick: int, failure: str, words: str, logs: dict[str, Any], skew: float, statuses: str) -> None:
        self.tally.rules["log_error"] += 1
        told = {"error_state": failure, "error_description": words, **logs}
        self.call("log_error_worker_node", self.pick(pick, statuses), **told, skew=skew)

    @rule(pick=PICK)
    def look_up_step(self, pick: int) -> None:
        self.tally.rules["look_up_step"] += 1
        array, batch = self.batch(pick, "O")
        self.call("get_array_task_instance_id", array, batch, pick % 16)

    # Triage.

    @rule(pick=PICK, failure=FAILURE, words=WORDS, skew=SKEW, statuses=st.sampled_from(["T", "O", "XK", "REUZD"]))
    def log_known_error(self, pick: int, failure: str, words: str, skew: float, statuses: str) -> None:
        self.tally.rules["log_known_error"] += 1
        told = {"error_state": failure, "error_message": words, "nodename": None, "distributor_id": "D9"}
        self.call("log_known_error", self.pick(pick, statuses), **told, skew=skew)

    @rule(pick=PICK, failure=FAILURE, words=WORDS, skew=SKEW, statuses=st.sampled_from(["T", "O", "XK", "REUZD"]))
    def log_unknown_error(self, pick: int, failure: str, words: str, skew: float, statuses: str) -> None:
        self.tally.rules["log_unknown_error"] += 1
        told = {"error_state": failure, "error_message": words, "nodename": "n9"}
        self.call("log_unknown_error", self.pick(pick, statuses), **told, skew=skew)

    # The run.

    @rule(run=PICK, skew=SKEW)
    def sweep(self, run: int, skew: float) -> None:
        self.tally.rules["sweep"] += 1
        self.call("set_status_for_triaging", choose(run, RUNS), skew=skew)

    @rule(run=PICK, skew=SKEW)
    def terminate(self, run: int, skew: float) -> None:
        self.tally.rules["terminate"] += 1
        self.call("terminate_task_instances", choose(run, RUNS), skew=skew)

    @rule(run=PICK, status=st.sampled_from("BIORHCIGLDESTA"), skew=SKEW)
    def move_run(self, run: int, status: str, skew: float) -> None:
        self.tally.rules["move_run"] += 1
        self.call("update_workflow_run_status", choose(run, RUNS), status=status, skew=skew)

    @rule(seconds=st.sampled_from([31, 280, 560, 91]), skew=SKEW)
    def fall_silent(self, seconds: float, skew: float) -> None:
        """For so long nobody reports; then the clients of all runs ask, and of the late two report after all."""
        self.tally.rules["fall_silent"] += 1
        self.system.clock.sleep(seconds)
        for run in RUNS:
            self.call("set_status_for_triaging", run, skew=skew)
        late = [i.id for i in self.oracle.instances.values() if i.status == "T"]
        if late:
            self.call("log_report_by", late[0], next_report_increment=279, skew=skew)
            self.call("log_done", late[-1], skew=skew)

    @rule(run=PICK, status=st.sampled_from("CH"), skew=SKEW)
    def resume(self, run: int, status: str, skew: float) -> None:
        """A run that goes well is ended for another one."""
        self.tally.rules["resume"] += 1
        for step in ("B", "I", "O", "R", status):
            self.call("update_workflow_run_status", choose(run, RUNS[:3]), status=step, skew=skew)
        self.call("terminate_task_instances", choose(run, RUNS[:3]), skew=skew)

    @rule(run=PICK, skew=SKEW)
    def succeed(self, run: int, skew: float) -> None:
        """A second distributor comes, and asks for all that there is."""
        self.tally.rules["succeed"] += 1
        for step in ("B", "I", "O", "R", "I"):
            self.call("update_workflow_run_status", choose(run, RUNS[:3]), status=step, skew=skew)
        for status in "QIORTXK":
            self.call("sync_status", choose(run, RUNS[:3]), task_instance_ids=[], status=status, skew=skew)

    @rule(run=PICK, status=st.sampled_from("BIOR"), increment=INCREMENT, skew=SKEW)
    def run_heartbeat(self, run: int, status: str, increment: float, skew: float) -> None:
        self.tally.rules["run_heartbeat"] += 1
        ahead = {"status": status, "next_report_increment": increment}
        self.call("log_workflow_run_heartbeat", choose(run, RUNS), **ahead, skew=skew)

    # What carries the walk on.

    @rule(seconds=PASSING)
    def pass_time(self, seconds: float) -> None:
        self.tally.rules["pass_time"] += 1
        self.system.clock.sleep(seconds)

    @rule(skew=SKEW)
    def repeat(self, skew: float) -> None:
        """As a client does whose reply was lost."""
        if self.last:
            self.tally.rules["repeat"] += 1
            route, ids, body = self.last
            self.call(route, *ids, **body, skew=skew)

    @rule(picks=st.lists(PICK, min_size=1, max_size=6), failure=FAILURE, increment=INCREMENT, worker=WORKER, skew=SKEW)
    def live(self, picks: list[int], failure: str, increment: float, worker: dict[str, Any], skew: float) -> None:
        """Some go on as most do."""
        self.tally.rules["live"] += 1
        for pick in picks:
            task = choose(pick, [*self.oracle.tasks])
            number = task * 1000 + (1 if pick % 8 == 3 else self.oracle.tasks[task].made)
            orphans = [i.id for i in self.oracle.instances.values() if i.task.id == task and i.status not in ENDED]
            if self.oracle.tasks[task].status in "DF" and orphans and pick % 2:
                self._lay_to_rest(self.oracle.instances[orphans[0]], skew)
            elif pick % 8 == 5 or (self.oracle.tasks[task].status == "F" and pick % 3):
                self._start_over(self.oracle.tasks[task])
            elif self.oracle.tasks[task].status in "GA":
                self.queue(self.oracle.tasks[task].bound[1][2] - 1, 1023 - pick % 2, pick)
            elif number in self.oracle.instances:
                self._go_on(number, pick, failure, increment, worker, skew)

    def _lay_to_rest(self, orphan: Instance, skew: float) -> None:
        """What is left of a task that has ended without it."""
        if failure := {"R": "E", "O": "U", "T": "Z", "X": "E", "K": "F"}.get(orphan.status):
            self.call("log_known_error", orphan.id, error_state=failure, error_message="an orphan", skew=skew)
        else:
            self.call("log_no_distributor_id", orphan.id, no_id_err_msg="an orphan", skew=skew)

    def _start_over(self, task: Task) -> None:
        workflow, row = task.bound
        again = [*row[:7], True, *row[8:]]
        self.call("bind_tasks_no_args", workflow_id=workflow, mark_created=True, tasks={"again": again})

    def _go_on(
        self, number: int, pick: int, failure: str, increment: float, worker: dict[str, Any], skew: float
    ) -> None:
        match self.oracle.instances[number].status:
            case "Q":
                self.instantiate(1023, "Q", skew)
            case "I":
                array, batch, _ = self.oracle.instances[number].place
                ahead = {"batch_number": batch, "next_report_increment": increment}
                self.call("transition_to_launched", array, **ahead, skew=skew)
            case "O":
                self.start(number, worker, increment, skew)
            case "R" if pick % 8 == 7:
                late = {"distributor_id": "D1", "next_report_increment": increment}
                self.call("log_distributor_id", number, **late, skew=skew)
            case "R" if pick % 4 == 2:
                self.start(number, worker, increment, skew)
            case "R" if pick % 4:
                told = {"error_state": failure, "error_description": f"{failure} of {number}"}
                self.call("log_error_worker_node", number, **told, skew=skew)
            case "T" | "X" | "K" | "R" if pick % 4 == 0:
                self.call("log_done", number, skew=skew)
            case "T" | "K" if pick % 4 == 1:
                self.call("log_report_by", number, next_report_increment=increment, skew=skew)
            case "X" | "K" if pick % 4 == 2:
                self.start(number, worker, increment, skew)
            case _:
                route = choose(pick // 4, ["log_known_error", "log_unknown_error"])
                self.call(route, number, error_state=failure, error_message="triage", skew=skew)


def walk(walking: settings, number: int | None = None) -> Tally:
    """What was met; raises what the first example to fail raised. A number is a seed, if the settings do not say."""
    with system() as made:
        Machine.system, Machine.tally = made, Tally()
        run_state_machine_as_test(Machine if number is None else seed(number)(Machine), settings=walking)
    return Machine.tally


def choose(pick: int, among: Sequence[C]) -> C:
    return among[pick % len(among)]


def _as_said(rows: list[list[Any]]) -> list[tuple[str, str]]:
    assert [row[1] for row in rows] == sorted(row[1] for row in rows), "in time order"
    assert len({row[0] for row in rows}) == len(rows), "each with an id of its own"
    return sorted((at, words) for _, at, words in rows)

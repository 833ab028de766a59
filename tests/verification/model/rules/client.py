"""The rules of a workflow's client: it binds, links its run, queues, and follows what becomes of its tasks."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from tests.verification.model.follower import Follower
from tests.verification.model.rules.draws import (
    ARRAYS,
    ATTRIBUTES,
    INCREMENT,
    KEYS,
    LIMIT,
    MOST_ATTEMPTS,
    PICK,
    RESOURCES,
    RUN_AHEAD,
    SCALES,
    SKEW,
    USER,
    choose,
)
from tests.verification.model.rules.walker import Walker, rule


class ClientRules(Walker):
    """It says what is to run, and runs it."""

    # Binding.

    @rule(pick=PICK, limit=LIMIT, attributes=ATTRIBUTES, skew=SKEW)
    def bind_workflow(self, pick: int, limit: int | None, attributes: dict[str, Any], skew: float) -> None:
        key = KEYS[choose(pick, [0, 1, 0, 1, 2, 3])]
        said = {"name": f"workflow {pick % 3}", "description": choose(pick, [None, "told"]), "workflow_args": "--all"}
        more = {"max_concurrently_running": limit, "workflow_attributes": attributes}
        self.call("bind_workflow", **key, **said, **more, skew=skew)
        self.call("get_matching_workflows", key["workflow_args_hash"])

    @rule(pick=PICK, attributes=ATTRIBUTES)
    def note_attributes(self, pick: int, attributes: dict[str, Any]) -> None:
        self.call("set_workflow_attributes", self.pick_workflow(pick), workflow_attributes=attributes)

    @rule(pick=PICK)
    def make_array(self, pick: int) -> None:
        workflow, version = ARRAYS[pick % 3 + 1]
        array: dict[str, Any] = {
            "task_template_version_id": version,
            "max_concurrently_running": pick,
            "name": f"array {pick % 5}",
        }
        self.call("create_array", workflow_id=workflow, **array)

    @rule(pick=PICK, bits=PICK, attempts=MOST_ATTEMPTS, reset=st.booleans())
    def bind_tasks(self, pick: int, bits: int, attempts: int, reset: bool) -> None:  # noqa: FBT001  # hypothesis's arguments
        array = pick % 3 + 1
        first, into = 100 * array, choose(pick, [array] * 20 + [1, 2, 3, 77])
        nodes = [node for node in self.subset(bits, range(first, first + self.nodes)) if node // first == 1]
        what: tuple[Any, ...] = (
            choose(pick, RESOURCES),
            f"t{pick % 7}",
            f"run {pick}" + choose(pick // 8, ("", " as long as this one" * 30)),
            attempts,
            reset,
            choose(pick // 4, SCALES),
            [],
        )
        rows = {f"{place} {node}": [node, 10**77 + node, into, *what] for place, node in enumerate(nodes)}
        self.call("bind_tasks_no_args", workflow_id=ARRAYS[array][0], mark_created=bool(pick % 5), tasks=rows)

    # Its run.

    @rule(pick=PICK, user=USER, ahead=RUN_AHEAD, skew=SKEW)
    def link(self, pick: int, user: str, ahead: float, skew: float) -> None:
        self.link_run(self.pick_workflow(pick), user, ahead, skew)

    def link_run(self, workflow_id: int, user: str, ahead: float, skew: float) -> None:
        client = {"user": user, "jobmon_version": "3.6"}
        self.call("create_workflow_run", workflow_id=workflow_id, next_report_increment=ahead, **client, skew=skew)

    @rule(pick=PICK, user=USER, ahead=RUN_AHEAD, seconds=st.sampled_from([0.5, 1, 2, 61]), skew=SKEW)
    def link_again(self, pick: int, user: str, ahead: float, seconds: float, skew: float) -> None:
        """A run ends. Its client links the next one, and soon afterwards does so again, or a rival does."""
        workflow_id = self.pick_workflow(pick)
        self.end_run(workflow_id, skew)
        self.link_run(workflow_id, "ann", ahead, skew)
        self.system.clock.sleep(seconds)
        self.link_run(workflow_id, user, ahead, skew)

    def end_run(self, workflow_id: int, skew: float) -> None:
        """The run that holds a workflow ends, wherever it is."""
        if (workflow := self.oracle.workflows.get(workflow_id)) and (holder := workflow.holder):
            for status in "AET":
                self.call("update_workflow_run_status", holder, status=status, skew=skew)

    @rule(run=PICK, status=st.sampled_from("BIORHCIGLDESTA"), skew=SKEW)
    def move_run(self, run: int, status: str, skew: float) -> None:
        self.call("update_workflow_run_status", self.pick_run(run), status=status, skew=skew)

    @rule(run=PICK, status=st.sampled_from("BIORRRDCHE"), increment=INCREMENT, skew=SKEW)
    def run_heartbeat(self, run: int, status: str, increment: float, skew: float) -> None:
        ahead = {"status": status, "next_report_increment": increment}
        self.call("log_workflow_run_heartbeat", self.pick_run(run), **ahead, skew=skew)

    @rule(pick=PICK, bits=PICK, run=PICK)
    def queue(self, pick: int, bits: int, run: int) -> None:
        array = pick % 3 + 1
        ids = {"task_resources_id": choose(run, RESOURCES), "workflow_run_id": self.run_of(ARRAYS[array][0], run)}
        self.call("queue_task_batch", array, task_ids=self.subset(bits, self.oracle.tasks), **ids)

    @rule(run=PICK, skew=SKEW)
    def sweep(self, run: int, skew: float) -> None:
        self.call("set_status_for_triaging", self.pick_run(run), skew=skew)

    @rule(run=PICK, skew=SKEW)
    def terminate(self, run: int, skew: float) -> None:
        self.call("terminate_task_instances", self.pick_run(run), skew=skew)

    # Its polls.

    @rule(pick=PICK, skew=SKEW)
    def follow(self, pick: int, skew: float) -> None:
        self.follow_workflow(self.pick_workflow(pick), skew, full=pick % 16 == 0)

    def follow_workflow(self, workflow_id: int, skew: float, *, full: bool = False) -> None:
        """Its client asks what has changed since it asked last; where all clocks agree it then knows all of it."""
        follower = self.followers.setdefault(workflow_id, Follower(workflow_id))
        since = {} if full or not follower.last_sync else {"last_sync": follower.last_sync}
        reply = self.call("task_status_updates", workflow_id, **since, skew=skew)
        if workflow_id in self.oracle.workflows and not self.skewed:
            follower.learn(reply)
            missed = follower.missed(self.stands)
            assert not missed, "\n".join(missed)
            self.tally.followed += 1

    @rule(pick=PICK, ago=st.sampled_from([0, 19, 20, 21, 60, 1e9, -30]), skew=SKEW)
    def ask_for_changes(self, pick: int, ago: float, skew: float) -> None:
        """Since any moment, such as one at the edge of the margin."""
        moment = datetime.fromtimestamp(self.system.clock.time() - ago, UTC).strftime("%Y-%m-%d %H:%M:%S")
        self.call("task_status_updates", self.pick_workflow(pick), last_sync=moment, skew=skew)

    @rule(pick=PICK)
    def read_limit(self, pick: int) -> None:
        self.call("get_workflow_limit", self.pick_workflow(pick))

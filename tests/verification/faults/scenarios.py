"""What is asked, and of what: for every route, the requests that take each of its ways to the table."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from local.events import SEED, read
from local.seed import Seed, load
from local.template import Template
from lockstep.clock import BUDGET_SECONDS, BULK_BUDGET_SECONDS, CALL_SECONDS, naive, now
from lockstep.routes import ROUTES as ALL_ROUTES
from lockstep.task.bound_item import TaskLookup
from lockstep.task.item import Task
from tests.conformance.recording import Player
from tests.support.clusters import load_clusters
from tests.support.seeding import LONG_COMMAND, batch, pair, run_of
from tests.support.tools import VERSION


@dataclass(frozen=True, slots=True)
class Ask:
    """A request."""

    method: str
    path: str
    body: str | None
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A request, what stands in the table before it, and what may be answered beside what a clean call answers."""

    name: str
    route: str
    prepare: Callable[[], Ask]
    wait: float = 0.0
    """How many seconds after the preparation."""
    limits: Mapping[str, int] = field(default_factory=dict)
    """Constants of the layer's that are made small, so that little takes many calls."""
    also: Callable[[Any, Any], bool] = lambda _reply, _clean: False
    """Whether a reply to a request that is sent again is right: a part may have been done before."""

    def __str__(self) -> str:
        return f"{self.route}: {self.name}"

    @property
    def budget(self) -> float:
        """After how many seconds no call begins, by the function's timeout: a little more than that and a call."""
        return BULK_BUDGET_SECONDS if TIMEOUTS[self.route] > BULK_BUDGET_SECONDS + CALL_SECONDS else BUDGET_SECONDS


NO_QUERY: Final[Mapping[str, str]] = {}
ROUTES: Final = {route.name: route for route in ALL_ROUTES}
TIMEOUTS: Final = {function.name: function.timeout for function in Template().functions}


def ask(route: str, body: Any = None, query: Mapping[str, str] = NO_QUERY, **ids: Any) -> Ask:
    """A request to a route."""
    found = ROUTES[route]
    return Ask(found.method, found.resource.format(**ids), None if body is None else json.dumps(body), query)


def about(route: str, body: Any, status: str, task_status: str, **more: Any) -> Callable[[], Ask]:
    """A report about one instance in a status, with its task in another."""

    def prepare() -> Ask:
        return ask(route, body, task_instance_id=pair(status, task_status, **more))

    return prepare


EXHAUSTED: Final[dict[str, Any]] = {"task": {"num_attempts": 3}}
LATE: Final[dict[str, Any]] = {"report_by_in": -1000}
WORKER: Final = {"nodename": "n", "process_group_id": 7}
LONG: Final = "/long/" + "d" * 200
DONE: Final = {"nodename": "n", "stdout": "/o", "stderr": "/e"}
LOGS: Final = {**DONE, "stdout_log": "out", "stderr_log": "err"}
FAILED: Final = {"error_state": "E", "error_description": "boom", **LOGS}
KNOWN: Final = {"error_state": "U", "error_message": "boom", "nodename": "n"}
BEAT: Final = {"next_report_increment": 300}
SOON: Final = {"next_report_increment": 90}
CLAIM: Final = {"next_report_increment": 300, **WORKER}

PAIRS: Final[dict[str, tuple[str, str, dict[str, Any]]]] = {
    "Q": ("Q", "Q", {"report_by_in": None}),
    "I": ("I", "I", {"report_by_in": None}),
    "O": ("O", "O", {}),
    "O late": ("O", "O", LATE),
    "R": ("R", "R", {}),
    "R late": ("R", "R", LATE),
    "R, last attempt": ("R", "R", {**EXHAUSTED, **LATE}),
    "T": ("T", "R", LATE),
    "T, last attempt": ("T", "R", {**EXHAUSTED, **LATE}),
    "T, task at O": ("T", "O", LATE),
    "X": ("X", "O", LATE),
    "K": ("K", "R", {}),
    "K of O": ("K", "O", {}),
    "K, task reset": ("K", "G", {}),
    "R, task done": ("R", "D", {}),
    "R, task queued again": ("R", "Q", {}),
    "T, task failed": ("T", "F", LATE),
    "D": ("D", "D", {}),
    "E": ("E", "G", {}),
    "U": ("U", "G", LATE),
    "Z": ("Z", "A", LATE),
    "W": ("W", "G", {}),
    "F": ("F", "F", {}),
}
"""Where an instance and its task stand, by the name of it."""

REPORTS: Final[dict[str, dict[str, Any]]] = {
    "log_running": CLAIM,
    "log_report_by": BEAT,
    "log_done": LOGS,
    "log_error_worker_node": FAILED,
    "log_no_distributor_id": {"no_id_err_msg": "boom"},
    "log_distributor_id": {"distributor_id": "7", "next_report_increment": 300},
    "log_known_error": KNOWN,
    "log_unknown_error": KNOWN,
}
"""The reports about one instance, each as it usually is."""

OTHERS: Final[tuple[tuple[str, str, dict[str, Any], str], ...]] = (
    ("a soon heartbeat", "log_report_by", SOON, "R"),
    ("a soon heartbeat in triage", "log_report_by", SOON, "T"),
    ("long paths", "log_report_by", {**BEAT, "stdout": LONG, "stderr": "/e"}, "R"),
    ("long paths in triage", "log_report_by", {**SOON, "stdout": LONG}, "T"),
    ("long paths", "log_done", {**LOGS, "stdout": LONG}, "R"),
    ("no words", "log_done", {}, "R"),
    ("killed as told", "log_error_worker_node", {**FAILED, "error_state": "F"}, "K"),
    ("a resource error", "log_error_worker_node", {**FAILED, "error_state": "Z"}, "R"),
    ("a fatal error", "log_known_error", {**KNOWN, "error_state": "F"}, "T"),
    ("a resource error", "log_known_error", {**KNOWN, "error_state": "Z"}, "T"),
    ("it never started", "log_known_error", {**KNOWN, "error_state": "E"}, "X"),
    ("it never started", "log_unknown_error", {**KNOWN, "error_state": "E"}, "X"),
    ("a soon claim", "log_running", {**CLAIM, **SOON}, "O"),
)


def one(route: str, body: Any, standing: str, **more: Any) -> Callable[[], Ask]:
    """A report about an instance that stands somewhere in PAIRS."""
    status, task, how = PAIRS[standing]
    return about(route, body, status, task, **how, **more)


def reports() -> list[Scenario]:
    """Every report about one instance, from everywhere."""
    return [
        *(
            Scenario(f"from {standing}", route, one(route, body, standing))
            for route, body in REPORTS.items()
            for standing in PAIRS
        ),
        *(Scenario(f"{name}, from {at}", route, one(route, body, at)) for name, route, body, at in OTHERS),
        *claims(),
        Scenario("an instance that is not there", "log_done", lambda: ask("log_done", {}, task_instance_id=1_001)),
        Scenario("an id that no instance has", "log_done", lambda: ask("log_done", {}, task_instance_id=1_000)),
        Scenario("none there", "log_report_by", lambda: ask("log_report_by", BEAT, task_instance_id=1_001)),
    ]


def claims() -> list[Scenario]:
    """Worker nodes that start."""
    earlier = {"nodename": "other", "process_group_id": 8}
    start = partial(about, "log_running")
    return [
        Scenario("a rival's claim stands", "log_running", start(CLAIM, "R", "R", **earlier)),
        Scenario("a rival fell silent", "log_running", start(CLAIM, "R", "R", **earlier, **LATE)),
        Scenario("a rival in triage fell silent", "log_running", start(CLAIM, "T", "R", **earlier, **LATE)),
        Scenario("its own claim stands", "log_running", start(CLAIM, "R", "R", **WORKER)),
        Scenario("a second attempt", "log_running", start(CLAIM, "O", "O", attempt=2)),
        Scenario("adjusted resources", "log_running", start(CLAIM, "O", "O", task_resources_id=2)),
    ]


LONG_AGO: Final = 700.0
"""Long enough for what is LAUNCHED to be overdue and for what nobody settles to be abandoned."""
SMALL: Final = {
    "lockstep.dynamodb.client.ACTIONS_PER_TRANSACTION": 8,
    "lockstep.dynamodb.statements.STATEMENTS_PER_REQUEST": 3,
    "lockstep.dynamodb.reads.KEYS_PER_READ": 4,
    "lockstep.array.queue.TASKS_PER_TRANSACTION": 2,
    "lockstep.array.queue.TASKS_PER_BATCH": 4,
    "lockstep.task.bind.TASKS_PER_TRANSACTION": 2,
    "lockstep.array.portions.STEPS_PER_GROUP": 1,
    "lockstep.task_instance.item.STEPS_PER_PARTITION": 3,
    "lockstep.array.read.STEPS_PER_PARTITION": 3,
}
"""So that seven are as many as hundreds."""


def bulk(
    name: str,
    route: str,
    prepare: Callable[[], Ask],
    wait: float = 0.0,
    also: Callable[[Any, Any], bool] = lambda _reply, _clean: False,
) -> Scenario:
    """A request about many."""
    return Scenario(name, route, prepare, wait, SMALL, also)


def standing(*names: str, held: bool = False, **more: Any) -> list[int]:
    """A batch of instances that stand somewhere in PAIRS."""
    rows = []
    for name in names:
        status, task, how = PAIRS[name]
        rows.append({"status": status, **how, **more, "task": {"status": task, **how.get("task", {})}})
    return batch(*rows, held=held)


def of_run(route: str, *names: str, body: Any = None, **more: Any) -> Callable[[], Ask]:
    """A request about a run with one batch."""
    return lambda: ask(route, body, workflow_run_id=run_of(standing(*names, **more)[0]))


def of_batch(route: str, *names: str, **body: Any) -> Callable[[], Ask]:
    """A request about that batch."""
    return lambda: ask(route, {"batch_number": 1, **body}, array_id=run_of(standing(*names)[0]))


def of_ids(route: str, *names: str, **body: Any) -> Callable[[], Ask]:
    """A request that lists its instances."""
    return lambda: ask(route, {"task_instance_ids": standing(*names), **body})


def poll(status: str, *names: str, listed: int = 0, moved: str | None = None) -> Callable[[], Ask]:
    """A distributor's poll, which lists the first few; the run was moved before."""

    def prepare() -> Ask:
        ids = standing(*names)
        run = run_of(ids[0])
        for step in moved or "":
            play(ask("update_workflow_run_status", {"status": step}, workflow_run_id=run))
        return ask("sync_status", {"task_instance_ids": ids[:listed], "status": status}, workflow_run_id=run)

    return prepare


@cache
def player() -> Player:
    """Calls the functions."""
    return Player()


def play(request: Ask) -> Any:
    """Prepare a state with a request that must go well."""
    status, reply = player().send(request.method, request.path, request.body, **request.query)
    assert status == 200, reply
    return reply


ARRAY: Final = {"workflow_id": 1, "task_template_version_id": 1, "max_concurrently_running": 9, "name": "a"}


def bound(tasks: int, *, reset: bool = False, change: bool = False) -> tuple[Any, int]:
    """A bind request about so many tasks of an array, and the array's id."""
    array_id = play(ask("create_array", ARRAY))["array_id"]
    resources = play(ask("bind_resources", {"queue_id": 1, "requested_resources": {"stdout": "/o"}}))
    commands = "true", LONG_COMMAND
    rows = {
        str(node): [node, "9", array_id, resources, "t", commands[node % 2], 3 + change, reset, {}, []]
        for node in range(1, tasks + 1)
    }
    return {"workflow_id": 1, "mark_created": False, "tasks": rows}, array_id


def bind(known: int, tasks: int, *, queued: int = 0, reset: bool = False, change: bool = False) -> Callable[[], Ask]:
    """Bind tasks, of which some are known already, and some of these queued."""

    def prepare() -> Ask:
        if known:
            earlier, array_id = bound(known)
            ids = [task_id for task_id, _ in play(ask("bind_tasks_no_args", earlier))["tasks"].values()]
            if queued:
                play(queue_request(array_id, sorted(ids)[:queued]))
        body, _ = bound(tasks, reset=reset, change=change)
        return ask("bind_tasks_no_args", body)

    return prepare


def bind_expired() -> Ask:
    """Bind tasks of which two were bound before and have expired; of one the item has gone already."""
    earlier, _ = bound(3)
    ids = [task_id for task_id, _ in play(ask("bind_tasks_no_args", earlier))["tasks"].values()]
    for task_id in ids[:2]:
        Task(f"TASK#{task_id}", "TASK").update([Task.expires_at.set(int(now()) - 1)])
    TaskLookup(*TaskLookup.key(1, 7, "9"), id=ids[2] + 1_000).save()
    body, _ = bound(8)
    return ask("bind_tasks_no_args", body)


def a_tool() -> int:
    """A tool."""
    return int(play(ask("bind_tool", {"name": "known"}))["tool"][0])


def a_tool_version() -> int:
    """A tool's first version."""
    [[version, _]] = play(ask("get_tool_versions", tool_id=a_tool()))["tool_versions"]
    return int(version)


def template_request(name: str) -> Ask:
    """Bind a template."""
    return ask("bind_task_template", {"tool_version_id": a_tool_version(), "task_template_name": name})


def a_template() -> int:
    """A template of such a tool version."""
    return int(play(template_request("known"))["task_template_id"])


def tools() -> list[Scenario]:
    """Tools, templates and their versions."""
    return [
        bulk("new", "bind_tool", lambda: ask("bind_tool", {"name": "new"})),
        bulk("known", "bind_tool", lambda: (a_tool(), ask("bind_tool", {"name": "known"}))[1]),
        bulk("of a tool", "get_tool_versions", lambda: ask("get_tool_versions", tool_id=a_tool())),
        bulk("no such tool", "get_tool_versions", lambda: ask("get_tool_versions", tool_id=9)),
        bulk("one more", "create_tool_version", lambda: ask("create_tool_version", {"tool_id": a_tool()})),
        bulk("of no tool", "create_tool_version", lambda: ask("create_tool_version", {"tool_id": 9})),
        bulk("new", "bind_task_template", lambda: template_request("new")),
        bulk("known", "bind_task_template", lambda: (a_template(), template_request("known"))[1]),
        bulk(
            "of no tool version",
            "bind_task_template",
            lambda: ask("bind_task_template", {"tool_version_id": 9, "task_template_name": "new"}),
        ),
        bulk(
            "of a tool version",
            "get_task_templates",
            lambda: (a_template(), ask("get_task_templates", tool_version_id=a_tool_version()))[1],
        ),
        bulk(
            "new",
            "add_task_template_version",
            lambda: ask("add_task_template_version", VERSION, task_template_id=a_template()),
        ),
        bulk("known", "add_task_template_version", known_version),
        bulk(
            "of no template",
            "add_task_template_version",
            lambda: ask("add_task_template_version", VERSION, task_template_id=9),
        ),
        bulk(
            "of a template",
            "get_task_template_versions",
            lambda: ask(
                "get_task_template_versions", task_template_id=play(known_version())["task_template_version"][6]
            ),
        ),
    ]


def known_version() -> Ask:
    """Add a version that is known, with other arguments."""
    template_id = a_template()
    play(ask("add_task_template_version", VERSION, task_template_id=template_id))
    return ask("add_task_template_version", VERSION | {"op_args": ["w"]}, task_template_id=template_id)


NODES: Final = {
    "nodes": [
        {"task_template_version_id": version, "node_args_hash": "7", "node_args": {"1": str(version)}}
        for version in range(1, 29)
    ]
}
"""Each in an item of its own: one more batch than one."""
NEIGHBOURS: Final = [*range(1, 301)]
EDGES: Final = {
    "edges_to_add": [
        {"node_id": node, "upstream_node_ids": [1], "downstream_node_ids": NEIGHBOURS if node == 1 else []}
        for node in range(1, 29)
    ],
    "mark_created": True,
}


def known_dag() -> Ask:
    """Ask for a DAG once more."""
    play(ask("bind_dag", {"dag_hash": 5}))
    return ask("bind_dag", {"dag_hash": 5})


def edges(*, complete: bool) -> Callable[[], Ask]:
    """Add edges, one of them with a long list."""

    def prepare() -> Ask:
        play(ask("bind_dag", {"dag_hash": 5}))
        return ask("add_edges", {**EDGES, "mark_created": complete}, dag_id=5)

    return prepare


def downstream() -> Ask:
    """Look below tasks of which one has a long list of nodes below it."""
    play(edges(complete=True)())
    body, _ = bound(3)
    ids = [task_id for task_id, _ in play(ask("bind_tasks_no_args", body))["tasks"].values()]
    return ask("get_downstream_tasks", {"task_ids": ids, "dag_id": 5})


def clusters() -> list[Scenario]:
    """Clusters and queues that the table holds, or nobody loaded."""
    of_queue = {"queue_id": 4, "requested_resources": {}}
    return [
        Scenario("not there", "get_cluster", lambda: ask("get_cluster", cluster_name="slurm")),
        Scenario("loaded", "get_cluster", loaded(lambda: ask("get_cluster", cluster_name="slurm"))),
        Scenario("not there", "get_queue", lambda: ask("get_queue", cluster_name=4, queue_name="all.q")),
        Scenario("loaded", "get_queue", loaded(lambda: ask("get_queue", cluster_name=4, queue_name="all.q"))),
        bulk("in a queue that was loaded", "bind_resources", loaded(lambda: ask("bind_resources", of_queue))),
        bulk("in no queue", "bind_resources", lambda: ask("bind_resources", of_queue)),
        bulk(
            "in a queue that was loaded",
            "get_task_resources",
            loaded(lambda: ask("get_task_resources", task_resources_id=play(ask("bind_resources", of_queue)))),
        ),
    ]


def loaded(prepare: Callable[[], Ask]) -> Callable[[], Ask]:
    """The same with the example's clusters in the table."""
    return lambda: (load_clusters(), prepare())[1]


def queue_request(array_id: int, task_ids: list[int]) -> Ask:
    """Queue tasks."""
    body = {"task_ids": task_ids, "task_resources_id": 1, "workflow_run_id": 1}
    return ask("queue_task_batch", body, array_id=array_id)


def queue(tasks: int, before: int = 0) -> Callable[[], Ask]:
    """Queue an array's tasks, of which some are queued already."""

    def prepare() -> Ask:
        body, array_id = bound(tasks)
        ids = sorted(task_id for task_id, _ in play(ask("bind_tasks_no_args", body))["tasks"].values())
        if before:
            play(queue_request(array_id, ids[:before]))
        return queue_request(array_id, ids)

    return prepare


def fewer(reply: Any, clean: Any) -> bool:
    """A part of them was stopped before the reply was lost."""
    return bool(
        reply["workflow_run_id"] == clean["workflow_run_id"] and 0 <= reply["num_terminated"] <= clean["num_terminated"]
    )


def run_in(*moves: str) -> int:
    """A run that made some moves."""
    play(ask("bind_tasks_no_args", {"workflow_id": 1, "tasks": {}}))
    run = int(play(ask("create_workflow_run", {"workflow_id": 1, **BEAT}))["workflow_run_id"])
    for status in moves:
        play(ask("update_workflow_run_status", {"status": status}, workflow_run_id=run))
    return run


def a_link() -> Ask:
    """A run of a workflow whose tasks are bound."""
    play(ask("bind_tasks_no_args", {"workflow_id": 1, "tasks": {}}))
    return ask("create_workflow_run", {"workflow_id": 1, **BEAT})


WORKFLOW: Final = {
    "workflow_args_hash": 6,
    "task_hash": 7,
    "name": "w",
    "max_concurrently_running": 9,
    "workflow_attributes": {"of": "all"},
}
GROUPS: Final = {"lockstep.workflow.cursor.GROUP": 2, "lockstep.workflow.increase.GROWN_AT_ONCE": 1}
"""A call about all tasks of a workflow goes through several groups."""


def the_rest(reply: Any, clean: Any) -> bool:
    """Some tasks had grown before the reply was lost, and are not told again."""
    ids = reply["updated_task_ids"]
    return bool({*ids} <= {*clean["updated_task_ids"]} and reply["updated_task_count"] == len(ids))


def workflow_request(**more: Any) -> Ask:
    """Bind a workflow of a tool and a DAG that exist."""
    dag_id = play(ask("bind_dag", {"dag_hash": 5}))["dag_id"]
    return ask("bind_workflow", {**WORKFLOW, "tool_version_id": a_tool_version(), "dag_id": dag_id, **more})


def known_workflow() -> Ask:
    """Bind a workflow once more, with another name."""
    play(workflow_request())
    return workflow_request(name="other", workflow_attributes={"more": "1"})


def after_failures(error_state: str) -> int:
    """The workflow of five tasks of which one is done, three failed for good, and one is new. Its run has ended."""
    body, array_id = bound(5)
    for row in body["tasks"].values():
        row[6], row[8] = 1, {"memory": 0.5}
    ids = sorted(number for number, _ in play(ask("bind_tasks_no_args", body))["tasks"].values())
    run = run_in(*"BIOR")
    play(
        ask(
            "queue_task_batch", {"task_ids": ids[1:], "task_resources_id": 1, "workflow_run_id": run}, array_id=array_id
        )
    )
    instances = [number * 1000 + 1 for number in ids[1:]]
    play(ask("instantiate_task_instances", {"task_instance_ids": instances}))
    for number in instances:
        play(ask("log_running", CLAIM, task_instance_id=number))
    play(ask("log_done", DONE, task_instance_id=instances[0]))
    for number in instances[1:]:
        play(ask("log_error_worker_node", {**FAILED, "error_state": error_state}, task_instance_id=number))
    play(ask("update_workflow_run_status", {"status": "E"}, workflow_run_id=run))
    return int(body["workflow_id"])


def workflows() -> list[Scenario]:
    """Workflows that are bound, and calls about all tasks of one."""
    over = {"reset_if_running": True}
    return [
        bulk("new", "bind_workflow", workflow_request),
        bulk("known", "bind_workflow", known_workflow),
        bulk("of no tool version, no DAG", "bind_workflow", lambda: workflow_request(tool_version_id=9, dag_id=9)),
        Scenario(
            "failed tasks start over",
            "set_resume_state",
            lambda: ask("set_resume_state", over, task_id=after_failures("E")),
            limits=SMALL | GROUPS,
        ),
        Scenario(
            "tasks that had too little",
            "increase_resources",
            lambda: ask("increase_resources", {}, workflow_id=after_failures("Z")),
            limits=SMALL | GROUPS,
            also=the_rest,
        ),
    ]


def run_moves(route: str, status: str, *moves: str, **more: Any) -> Callable[[], Ask]:
    """A report about a run."""
    return lambda: ask(route, {"status": status, **more}, workflow_run_id=run_in(*moves))


def hot(*names: str) -> Callable[[], Ask]:
    """Stop a run that another one takes over while what runs may go on."""

    def prepare() -> Ask:
        run = run_of(standing(*names)[0])
        play(ask("update_workflow_run_status", {"status": "H"}, workflow_run_id=run))
        return ask("terminate_task_instances", workflow_run_id=run)

    return prepare


def of_resumed(route: str, *names: str, cold: bool, body: Any = None) -> Callable[[], Ask]:
    """A request about the workflow of a run that has ended and left instances, after a resume was requested."""

    def prepare() -> Ask:
        workflow = run_of(standing(*names, held=True)[0])
        play(ask("update_workflow_run_status", {"status": "E"}, workflow_run_id=workflow))
        play(ask("set_resume", {"reset_running_jobs": cold}, workflow_id=workflow))
        return ask(route, body, workflow_id=workflow, task_id=workflow)

    return prepare


def after_resume(*names: str, sweeps: int = 0) -> Callable[[], Ask]:
    """A sweep of a run that was linked after a hot resume, of what an ended run left; so many came before."""

    def prepare() -> Ask:
        workflow = run_of(standing(*names, held=True)[0])
        play(ask("update_workflow_run_status", {"status": "E"}, workflow_run_id=workflow))
        play(ask("set_resume", {"reset_running_jobs": False}, workflow_id=workflow))
        run = play(ask("create_workflow_run", {"workflow_id": workflow, **BEAT}))["workflow_run_id"]
        sweep = ask("set_status_for_triaging", workflow_run_id=run)
        for _ in range(sweeps):
            play(sweep)
        return sweep

    return prepare


def set_resume(*, held: bool, cold: bool) -> Callable[[], Ask]:
    """A resume of a workflow that a run holds, or of one whose run has ended."""

    def prepare() -> Ask:
        workflow = run_of(standing("R", held=True)[0])
        if not held:
            play(ask("update_workflow_run_status", {"status": "E"}, workflow_run_id=workflow))
        return ask("set_resume", {"reset_running_jobs": cold}, workflow_id=workflow)

    return prepare


def launched(*names: str) -> Callable[[], Ask]:
    """Distributor ids for instances of an array, and for one of another array."""

    def prepare() -> Ask:
        other, ids = pair("O", "O"), standing(*names)
        body = {str(number): f"d{number}" for number in [*ids, other, ids[-1] + 1]}
        return ask("array_log_distributor_id", body, array_id=run_of(ids[0]))

    return prepare


LEFT: Final = ("Q", "I", "O", "R", "K", "D")
"""What a run leaves whose client is gone."""


def lapsed(moves: str, request: Callable[[int], Ask]) -> Callable[[], Ask]:
    """A request about a run, and the workflow of the same number, which it holds; its client is late after moves."""

    def prepare() -> Ask:
        run = run_of(standing(*LEFT, held=True)[0])
        for status in moves:
            play(ask("update_workflow_run_status", {"status": status}, workflow_run_id=run))
        late = {"status": "R", "next_report_increment": -1}
        play(ask("log_workflow_run_heartbeat", late, workflow_run_id=run))
        return request(run)

    return prepare


def less(reply: Any, clean: Any) -> bool:
    """A part of it was done before the reply was lost."""
    return bool(reply.keys() == clean.keys() and all(0 <= reply[name] <= clean[name] for name in clean))


def resumes() -> list[Scenario]:
    """A workflow is taken over from a run whose client is gone, or starts over after one that has ended."""
    cold = {"reset_running_jobs": True}
    over = {"reset_if_running": True}
    ended = {"status": "T"}

    def of_lapsed(route: str, moves: str, body: Any, **more: Any) -> Scenario:
        names = ROUTES[route].parameters
        request = lapsed(moves, lambda run: ask(route, body, NO_QUERY, **dict.fromkeys(names, run)))
        return bulk(f"what a lapsed run left, {moves}", route, request, **more)

    return [
        of_lapsed("set_resume", "IOR", cold),
        of_lapsed("set_resume", "IORH", cold),
        of_lapsed("is_resumable", "IORC", None),
        of_lapsed("set_resume_state", "IORC", over),
        bulk(
            "what an ended run left",
            "set_resume_state",
            of_resumed("set_resume_state", "Q", "I", "O", "R", "Q", "D", "K", "T", "X", cold=True, body=over),
        ),
        of_lapsed("force_cleanup_kill_self", "IORC", {}, also=less),
        bulk(
            "what a lapsed run left",
            "create_workflow_run",
            lapsed("IORC", lambda run: ask("create_workflow_run", {"workflow_id": run, **BEAT})),
        ),
        of_lapsed("update_workflow_run_status", "IORC", ended),
        of_lapsed("log_workflow_run_heartbeat", "IORC", {**ended, **BEAT}),
        of_lapsed("log_workflow_run_heartbeat", "IORH", {**ended, **BEAT}),
    ]


def tasks_of(*names: str, status: str) -> Callable[[], Ask]:
    """A look at the tasks of an array in a status."""
    return lambda: ask("list_array_tasks", array_id=run_of(standing(*names)[0]), query={"status": status})


def progress_of(*names: str) -> Callable[[], Ask]:
    """A poll for the changes of a workflow's tasks."""

    def prepare() -> Ask:
        since = {"last_sync": naive(now() - SOON["next_report_increment"])}
        return ask("task_status_updates", since, workflow_id=run_of(standing(*names, held=True)[0]))

    return prepare


def renamed(*names: str) -> Callable[[], Ask]:
    """Other distributor ids than before for instances of an array."""

    def prepare() -> Ask:
        ids = standing(*names)
        play(ask("array_log_distributor_id", {str(number): f"d{number}" for number in ids}, array_id=run_of(ids[0])))
        return ask("array_log_distributor_id", {str(number): f"e{number}" for number in ids}, array_id=run_of(ids[0]))

    return prepare


def wholes() -> list[Scenario]:
    """Everything that is not a report about one instance."""
    many = ("Q", "I", "O", "R", "Q", "D", "Q", "K", "Q")
    terminate = partial(bulk, route="terminate_task_instances", also=fewer)
    sync = partial(bulk, route="sync_status")
    sweep = partial(bulk, route="set_status_for_triaging", wait=LONG_AGO)
    return [
        bulk("some are O", "log_report_by_batch", of_ids("log_report_by_batch", "O", "R", "O", "O", "D", "O", **BEAT)),
        bulk("none", "log_report_by_batch", lambda: ask("log_report_by_batch", {"task_instance_ids": [], **BEAT})),
        bulk("of an array", "array_log_distributor_id", launched("I", "O", "R", "D", "O")),
        bulk("named before", "array_log_distributor_id", renamed("O", "D", "R", "D")),
        bulk("queued", "instantiate_task_instances", of_ids("instantiate_task_instances", *"QQQQQQQ")),
        bulk("of all kinds", "instantiate_task_instances", of_ids("instantiate_task_instances", *many)),
        bulk("taken before", "instantiate_task_instances", of_ids("instantiate_task_instances", *"IIIQ")),
        bulk(
            "some are I",
            "transition_to_launched",
            of_batch("transition_to_launched", "I", "I", "R", "I", "D", "I", "I", **BEAT),
        ),
        bulk(
            "no batch",
            "transition_to_launched",
            lambda: ask("transition_to_launched", {"batch_number": 9, **BEAT}, array_id=9),
        ),
        bulk(
            "some are K",
            "transition_to_killed",
            of_batch("transition_to_killed", "K", "K of O", "R", "K, task reset", "K", "D"),
        ),
        bulk("new", "create_array", lambda: ask("create_array", ARRAY)),
        bulk(
            "known",
            "create_array",
            lambda: (play(ask("create_array", {**ARRAY, "max_concurrently_running": 1})), ask("create_array", ARRAY))[
                1
            ],
        ),
        bulk(
            "new",
            "bind_resources",
            lambda: ask("bind_resources", {"queue_id": 1, "requested_resources": {"stdout": "/o"}}),
        ),
        bulk(
            "bound",
            "get_task_resources",
            lambda: ask(
                "get_task_resources",
                task_resources_id=play(ask("bind_resources", {"queue_id": 1, "requested_resources": {}})),
            ),
        ),
        bulk("not there", "get_task_resources", lambda: ask("get_task_resources", task_resources_id=9)),
        bulk("new", "create_workflow_run", a_link),
        bulk("new tasks", "bind_tasks_no_args", bind(0, 5)),
        bulk("known and new tasks", "bind_tasks_no_args", bind(3, 5)),
        bulk("known tasks start over", "bind_tasks_no_args", bind(5, 5, queued=3, reset=True)),
        bulk("known tasks change", "bind_tasks_no_args", bind(3, 4, change=True)),
        bulk("expired tasks", "bind_tasks_no_args", bind_expired),
        bulk(
            "no such array",
            "bind_tasks_no_args",
            lambda: ask("bind_tasks_no_args", {"workflow_id": 1, "tasks": {"a": [1, "1", 9, 1, "t", "true", 3]}}),
        ),
        bulk("several items", "bind_nodes", lambda: ask("bind_nodes", NODES)),
        bulk("new", "bind_dag", lambda: ask("bind_dag", {"dag_hash": 5})),
        bulk("known", "bind_dag", known_dag),
        bulk("the last ones", "add_edges", edges(complete=True)),
        bulk("not the last ones", "add_edges", edges(complete=False)),
        bulk("no such DAG", "add_edges", lambda: ask("add_edges", EDGES, dag_id=9)),
        bulk("a long list among others", "get_downstream_tasks", downstream),
        bulk("one batch", "queue_task_batch", queue(2)),
        bulk("several transactions", "queue_task_batch", queue(4)),
        bulk("several batches", "queue_task_batch", queue(9)),
        bulk("some are queued", "queue_task_batch", queue(5, before=2)),
        bulk("none is there", "queue_task_batch", lambda: queue_request(9, [7])),
        terminate("cold", prepare=of_run("terminate_task_instances", *many, "O late", "T")),
        terminate("hot", prepare=hot(*many, "O late", "T")),
        terminate("nothing left", prepare=of_run("terminate_task_instances", "D", "F")),
        Scenario("of a run", "set_resume", set_resume(held=True, cold=True)),
        Scenario("after a run", "set_resume", set_resume(held=False, cold=False)),
        Scenario(
            "no such workflow", "set_resume", lambda: ask("set_resume", {"reset_running_jobs": True}, workflow_id=9)
        ),
        bulk("cold", "is_resumable", of_resumed("is_resumable", *many, "O late", "T", "X", cold=True)),
        bulk("hot", "is_resumable", of_resumed("is_resumable", *many, "O late", "T", "X", cold=False)),
        bulk("nothing left", "is_resumable", of_resumed("is_resumable", "D", "F", cold=True)),
        sync("listed have left", prepare=poll("Q", "Q", "I", "O", "R", "D", listed=4, moved="IO")),
        sync("queued", prepare=poll("Q", *many)),
        sync("taken by a predecessor", prepare=poll("Q", "I", "Q", "I", "O", moved="IOI")),
        sync("under way", prepare=poll("R", *many, listed=2)),
        sync("triaging", prepare=poll("T", "T", "R", "X", "T", listed=1, moved="IO")),
        sync("ended", prepare=poll("D", "D", "R", listed=2, moved="IO")),
        sweep("overdue", prepare=of_run("set_status_for_triaging", "R late", "R", "O", "D", "R late", "R late", "Q")),
        sweep("launched and silent", prepare=of_run("set_status_for_triaging", "O late", "R", "O late")),
        sweep(
            "abandoned", prepare=of_run("set_status_for_triaging", "T", "X", "K", "R late", "T, last attempt", "K of O")
        ),
        sweep("nothing due", prepare=of_run("set_status_for_triaging", "R", "D")),
        sweep("after a resume", prepare=after_resume("R late", "R", "O late", "T", "X", "D", "Q")),
        sweep("after a resume, nothing left", prepare=after_resume("D", "F")),
        sweep("after a resume, nothing left as before", prepare=after_resume("D", "F", sweeps=1)),
        *(
            Scenario(
                f"{'→'.join(('L', *moves))}, {status}",
                "update_workflow_run_status",
                run_moves("update_workflow_run_status", status, *moves),
            )
            for status, moves in (
                ("B", ""),
                ("I", "B"),
                ("O", "BI"),
                ("R", "BIO"),
                ("I", "BIOR"),
                ("D", "BIOR"),
                ("D", "B"),
                ("H", "BIOR"),
                ("T", "BIORC"),
            )
        ),
        Scenario(
            "no such run",
            "update_workflow_run_status",
            lambda: ask("update_workflow_run_status", {"status": "B"}, workflow_run_id=9),
        ),
        *(
            Scenario(
                f"{status} from {'→'.join(('L', *moves))}",
                "log_workflow_run_heartbeat",
                run_moves("log_workflow_run_heartbeat", status, *moves, **BEAT),
            )
            for status, moves in (("L", ""), ("B", ""), ("R", "BIO"), ("R", "BIOR"))
        ),
        Scenario(
            "no such run",
            "log_workflow_run_heartbeat",
            lambda: ask("log_workflow_run_heartbeat", {"status": "R", **BEAT}, workflow_run_id=9),
        ),
        Scenario(
            "a step",
            "get_array_task_instance_id",
            lambda: ask("get_array_task_instance_id", array_id=run_of(standing("O", "O")[0]), batch_num=1, step_id=1),
        ),
        Scenario(
            "no step",
            "get_array_task_instance_id",
            lambda: ask("get_array_task_instance_id", array_id=run_of(standing("O", "O")[0]), batch_num=1, step_id=2),
        ),
        Scenario(
            "with errors",
            "task_instance_error_log",
            about("task_instance_error_log", None, "R", "R", errors=["one", "two", "three"]),
        ),
        Scenario(
            "not there", "task_instance_error_log", lambda: ask("task_instance_error_log", task_instance_id=1_001)
        ),
        Scenario("whole", "get_task_instance", about("get_task_instance", None, "R", "R", stdout_log="out")),
        Scenario("not there", "get_task_instance", lambda: ask("get_task_instance", task_instance_id=1_001)),
        Scenario("no table needed", "health", lambda: ask("health")),
        Scenario("no table needed", "get_time", lambda: ask("get_time")),
        Scenario("no table needed", "get_cluster", lambda: ask("get_cluster", cluster_name="sequential")),
    ]


def usual_calls(others: Iterable[Scenario]) -> Iterator[Scenario]:
    """The event of each route that has no scenario of its own: a sample for what only reads or upserts."""
    tried = {scenario.route for scenario in others}
    for route in sorted(ROUTES.keys() - tried):
        yield Scenario("its event", route, _by_event(route))


def _by_event(route: str) -> Callable[[], Ask]:
    def prepare() -> Ask:
        load(Seed.model_validate_json(SEED.read_bytes()))
        event = read(route)
        query = {name: values[-1] for name, values in (event["multiValueQueryStringParameters"] or {}).items()}
        return Ask(event["httpMethod"], event["path"], event["body"], query)

    return prepare


SEEN: Final = [
    bulk("under way", "list_array_tasks", tasks_of("R", "Q", "R", "D", status="R")),
    bulk("what has changed", "task_status_updates", progress_of("D", "R", "F")),
]
"""Looks at what an index shows."""
RESUMES: Final = resumes()
_OWN: Final = [*reports(), *wholes(), *workflows(), *tools(), *clusters()]
SCENARIOS: Final = [*_OWN, *usual_calls(_OWN), *RESUMES, *SEEN]

"""What is asked, and of what: for every route, the requests that take each of its ways to the table."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, Final

from local.events import SEED, cases_of, read
from local.seed import Seed, load
from local.template import Template
from lockstep.clock import BUDGET_SECONDS, BULK_BUDGET_SECONDS, CALL_SECONDS, naive, now
from lockstep.routes import ROUTES as ALL_ROUTES
from lockstep.task.bound_item import TaskLookup
from lockstep.task.item import Task
from tests.conformance.recording import Player
from tests.support.clusters import load_clusters
from tests.support.seeding import LONG_COMMAND, batch, pair, run_of


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


@cache
def player() -> Player:
    """Calls the functions."""
    return Player()


def play(request: Ask) -> Any:
    """Prepare a state with a request that must go well."""
    status, reply = player().send(request.method, request.path, request.body, **request.query)
    assert status == 200, reply
    return reply


def about_number(route: str, number: int, body: Any = None, query: Mapping[str, str] = NO_QUERY, **ids: int) -> Ask:
    """A request about an array, its run or its workflow: all that a batch of a new array makes has one number."""
    return ask(route, body, query, **(dict.fromkeys(ROUTES[route].parameters, number) | ids))


def of_run(
    route: str,
    *names: str,
    body: Any = None,
    query: Mapping[str, str] = NO_QUERY,
    moves: str = "",
    late: bool = False,
    cold: bool | None = None,
    held: bool = False,
    **ids: int,
) -> Callable[[], Ask]:
    """A request about a run with one batch, or about its array or its workflow.

    body: or what makes it of the instances' ids. moves: what the run did before. late: its client is. cold: a resume
    was requested then. held: the run holds the workflow, as it does if there is any of these. ids: others of the path.
    """

    def prepare() -> Ask:
        instances = standing(*names, held=held or late or bool(moves))
        number = run_of(instances[0])
        for status in moves:
            play(about_number("update_workflow_run_status", number, {"status": status}))
        if late:
            play(about_number("log_workflow_run_heartbeat", number, {"status": "R", "next_report_increment": -1}))
        if cold is not None:
            play(about_number("set_resume", number, {"reset_running_jobs": cold}))
        return about_number(route, number, body(instances) if callable(body) else body, query, **ids)

    return prepare


def listed(many: int | None = None, **body: Any) -> Callable[[list[int]], Any]:
    """A body that lists the first few instances, or all."""
    return lambda ids: {"task_instance_ids": ids[:many], **body}


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
    slurm = partial(ask, "get_cluster", cluster_name="slurm")
    all_q = partial(ask, "get_queue", cluster_name=4, queue_name="all.q")
    bind = partial(ask, "bind_resources", of_queue)
    return [
        Scenario("not there", "get_cluster", slurm),
        Scenario("loaded", "get_cluster", loaded(slurm)),
        Scenario("not there", "get_queue", all_q),
        Scenario("loaded", "get_queue", loaded(all_q)),
        bulk("in a queue that was loaded", "bind_resources", loaded(bind)),
        bulk("in no queue", "bind_resources", bind),
        bulk("in a queue that was loaded", "get_task_resources", loaded(resources(of_queue))),
    ]


def loaded(prepare: Callable[[], Ask]) -> Callable[[], Ask]:
    """The same with the example's clusters in the table."""
    return lambda: (load_clusters(), prepare())[1]


def resources(bound: Any) -> Callable[[], Ask]:
    """Look at resources that were bound."""
    return lambda: ask("get_task_resources", task_resources_id=play(ask("bind_resources", bound)))


def queue_request(array_id: int, task_ids: list[int], run: int = 1) -> Ask:
    """Queue tasks."""
    body = {"task_ids": task_ids, "task_resources_id": 1, "workflow_run_id": run}
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


GROUPS: Final = {"lockstep.workflow.cursor.GROUP": 2, "lockstep.workflow.increase.GROWN_AT_ONCE": 1}
"""A call about all tasks of a workflow goes through several groups."""


def the_rest(reply: Any, clean: Any) -> bool:
    """Some tasks had grown before the reply was lost, and are not told again."""
    ids = reply["updated_task_ids"]
    return bool({*ids} <= {*clean["updated_task_ids"]} and reply["updated_task_count"] == len(ids))


def after_failures(error_state: str) -> int:
    """The workflow of five tasks of which one is done, three failed for good, and one is new. Its run has ended."""
    body, array_id = bound(5)
    for row in body["tasks"].values():
        row[6], row[8] = 1, {"memory": 0.5}
    ids = sorted(number for number, _ in play(ask("bind_tasks_no_args", body))["tasks"].values())
    run = run_in(*"BIOR")
    play(queue_request(array_id, ids[1:], run))
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
    """Calls about all tasks of a workflow."""
    over = {"reset_if_running": True}
    return [
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


def linking(ids: list[int]) -> dict[str, Any]:
    """A body that links a run to their workflow."""
    return {"workflow_id": run_of(ids[0]), **BEAT}


def after_resume(*names: str, sweeps: int = 0) -> Callable[[], Ask]:
    """A sweep of a run that was linked after a hot resume, of what an ended run left; so many came before."""
    link = of_run("create_workflow_run", *names, moves="E", cold=False, body=linking)

    def prepare() -> Ask:
        sweep = ask("set_status_for_triaging", workflow_run_id=play(link())["workflow_run_id"])
        for _ in range(sweeps):
            play(sweep)
        return sweep

    return prepare


def renamed(*names: str) -> Callable[[], Ask]:
    """Other distributor ids than before for instances of an array."""

    def prepare() -> Ask:
        ids = standing(*names)
        first, then = (
            about_number("array_log_distributor_id", run_of(ids[0]), {str(number): f"{job}{number}" for number in ids})
            for job in "de"
        )
        play(first)
        return then

    return prepare


def launched(ids: list[int]) -> dict[str, str]:
    """Distributor ids for instances of an array, for one of another array, and for none."""
    return {str(number): f"d{number}" for number in [*ids, pair("O", "O"), ids[-1] + 1]}


LEFT: Final = ("Q", "I", "O", "R", "K", "D")
"""What a run leaves whose client is gone."""


def less(reply: Any, clean: Any) -> bool:
    """A part of it was done before the reply was lost."""
    return bool(reply.keys() == clean.keys() and all(0 <= reply[name] <= clean[name] for name in clean))


def resumes() -> list[Scenario]:
    """A workflow is taken over from a run whose client is gone, or starts over after one that has ended."""
    cold = {"reset_running_jobs": True}
    over = {"reset_if_running": True}
    ended = {"status": "T"}

    def of_lapsed(route: str, moves: str, body: Any, **more: Any) -> Scenario:
        request = of_run(route, *LEFT, moves=moves, late=True, body=body)
        return bulk(f"what a lapsed run left, {moves}", route, request, **more)

    return [
        of_lapsed("set_resume", "IOR", cold),
        of_lapsed("set_resume", "IORH", cold),
        of_lapsed("is_resumable", "IORC", None),
        of_lapsed("set_resume_state", "IORC", over),
        bulk(
            "what an ended run left",
            "set_resume_state",
            of_run("set_resume_state", *"QIORQDKTX", moves="E", cold=True, body=over),
        ),
        of_lapsed("force_cleanup_kill_self", "IORC", {}, also=less),
        of_lapsed("create_workflow_run", "IORC", linking),
        of_lapsed("update_workflow_run_status", "IORC", ended),
        of_lapsed("log_workflow_run_heartbeat", "IORC", {**ended, **BEAT}),
        of_lapsed("log_workflow_run_heartbeat", "IORH", {**ended, **BEAT}),
    ]


def lately(_: list[int]) -> dict[str, str]:
    """A body that polls for what has changed."""
    return {"last_sync": naive(now() - SOON["next_report_increment"])}


MANY: Final = "QIORQDQKQ"
"""Instances of all kinds, a letter each."""
SILENT: Final = ("O late", "T")


def of_batches() -> list[Scenario]:
    """Everything about many instances."""
    terminate = partial(bulk, route="terminate_task_instances", also=fewer)
    stop = partial(of_run, "terminate_task_instances")
    resumed = partial(of_run, "is_resumable", moves="E")
    taken = partial(of_run, "instantiate_task_instances", body=listed())

    def batches(name: str, route: str, *names: str, **body: Any) -> Scenario:
        return bulk(name, route, of_run(route, *names, body={"batch_number": 1, **body}))

    def sync(name: str, status: str, *names: str, first: int = 0, moves: str = "") -> Scenario:
        request = of_run("sync_status", *names, moves=moves, body=listed(first, status=status))
        return bulk(name, "sync_status", request)

    def sweep(name: str, prepare: Callable[[], Ask]) -> Scenario:
        return bulk(name, "set_status_for_triaging", prepare, wait=LONG_AGO)

    def swept(name: str, *names: str) -> Scenario:
        return sweep(name, of_run("set_status_for_triaging", *names))

    return [
        bulk("some are O", "log_report_by_batch", of_run("log_report_by_batch", *"OROODO", body=listed(**BEAT))),
        bulk("of an array", "array_log_distributor_id", of_run("array_log_distributor_id", *"IORDO", body=launched)),
        bulk("named before", "array_log_distributor_id", renamed(*"ODRD")),
        bulk("queued", "instantiate_task_instances", taken(*"QQQQQQQ")),
        bulk("of all kinds", "instantiate_task_instances", taken(*MANY)),
        bulk("taken before", "instantiate_task_instances", taken(*"IIIQ")),
        batches("some are I", "transition_to_launched", *"IIRIDII", **BEAT),
        batches("some are K", "transition_to_killed", "K", "K of O", "R", "K, task reset", "K", "D"),
        terminate("cold", prepare=stop(*MANY, *SILENT)),
        terminate("hot", prepare=stop(*MANY, *SILENT, moves="H")),
        terminate("nothing left", prepare=stop(*"DF")),
        Scenario("of a run", "set_resume", of_run("set_resume", "R", held=True, body={"reset_running_jobs": True})),
        Scenario("after a run", "set_resume", of_run("set_resume", "R", moves="E", body={"reset_running_jobs": False})),
        bulk("cold", "is_resumable", resumed(*MANY, *SILENT, "X", cold=True)),
        bulk("hot", "is_resumable", resumed(*MANY, *SILENT, "X", cold=False)),
        bulk("nothing left", "is_resumable", resumed(*"DF", cold=True)),
        sync("listed have left", "Q", *"QIORD", first=4, moves="IO"),
        sync("queued", "Q", *MANY),
        sync("taken by a predecessor", "Q", *"IQIO", moves="IOI"),
        sync("under way", "R", *MANY, first=2),
        sync("triaging", "T", *"TRXT", first=1, moves="IO"),
        sync("ended", "D", *"DR", first=2, moves="IO"),
        swept("overdue", "R late", "R", "O", "D", "R late", "R late", "Q"),
        swept("launched and silent", "O late", "R", "O late"),
        swept("abandoned", "T", "X", "K", "R late", "T, last attempt", "K of O"),
        swept("nothing due", *"RD"),
        sweep("after a resume", after_resume("R late", "R", "O late", "T", "X", "D", "Q")),
        sweep("after a resume, nothing left", after_resume(*"DF")),
        sweep("after a resume, nothing left as before", after_resume(*"DF", sweeps=1)),
    ]


def of_runs() -> list[Scenario]:
    """A run's moves, by update_status and by heartbeats."""
    updated, heard = "update_workflow_run_status", "log_workflow_run_heartbeat"
    moved = zip("BIORIDDHT", ("", "B", "BI", "BIO", "BIOR", "BIOR", "B", "BIOR", "BIORC"), strict=True)
    return [
        *(
            Scenario(f"{'→'.join('L' + moves)}, {status}", updated, run_moves(updated, status, *moves))
            for status, moves in moved
        ),
        *(
            Scenario(f"{status} from {'→'.join('L' + moves)}", heard, run_moves(heard, status, *moves, **BEAT))
            for status, moves in (("L", ""), ("B", ""), ("R", "BIO"), ("R", "BIOR"))
        ),
    ]


def of_bindings() -> list[Scenario]:
    """What a client binds in many parts, and queues."""
    return [
        bulk("bound", "get_task_resources", resources({"queue_id": 1, "requested_resources": {}})),
        bulk("new", "create_workflow_run", a_link),
        bulk("new tasks", "bind_tasks_no_args", bind(0, 5)),
        bulk("known and new tasks", "bind_tasks_no_args", bind(3, 5)),
        bulk("known tasks start over", "bind_tasks_no_args", bind(5, 5, queued=3, reset=True)),
        bulk("known tasks change", "bind_tasks_no_args", bind(3, 4, change=True)),
        bulk("expired tasks", "bind_tasks_no_args", bind_expired),
        bulk("the last ones", "add_edges", edges(complete=True)),
        bulk("not the last ones", "add_edges", edges(complete=False)),
        bulk("a long list among others", "get_downstream_tasks", downstream),
        bulk("one batch", "queue_task_batch", queue(2)),
        bulk("several transactions", "queue_task_batch", queue(4)),
        bulk("several batches", "queue_task_batch", queue(9)),
        bulk("some are queued", "queue_task_batch", queue(5, before=2)),
        bulk("none is there", "queue_task_batch", lambda: queue_request(9, [7])),
    ]


def of_instances() -> list[Scenario]:
    """Looks at an instance, or at a step."""
    step = partial(of_run, "get_array_task_instance_id", *"OO")
    errors = about("task_instance_error_log", None, "R", "R", errors=["one", "two", "three"])
    return [
        Scenario("a step", "get_array_task_instance_id", step(batch_num=1, step_id=1)),
        Scenario("no step", "get_array_task_instance_id", step(batch_num=1, step_id=2)),
        Scenario("with errors", "task_instance_error_log", errors),
        Scenario("whole", "get_task_instance", about("get_task_instance", None, "R", "R", stdout_log="out")),
    ]


TASKS_OF_NOTHING: Final = {"workflow_id": 1, "tasks": {"a": [1, "1", 9, 1, "t", "true", 3]}}
OF_NOTHING: Final = {"tool_version_id": 9, "dag_id": 9, "workflow_args_hash": 6, "task_hash": 7}
PLAIN: Final[tuple[tuple[str, str, Any, dict[str, Any]], ...]] = (
    ("none", "log_report_by_batch", {"task_instance_ids": [], **BEAT}, {}),
    ("no batch", "transition_to_launched", {"batch_number": 9, **BEAT}, {"array_id": 9}),
    ("not there", "get_task_resources", None, {"task_resources_id": 9}),
    ("no such array", "bind_tasks_no_args", TASKS_OF_NOTHING, {}),
    ("of no tool version, no DAG", "bind_workflow", OF_NOTHING, {}),
    ("several items", "bind_nodes", NODES, {}),
    ("no such DAG", "add_edges", EDGES, {"dag_id": 9}),
    ("no such workflow", "set_resume", {"reset_running_jobs": True}, {"workflow_id": 9}),
    ("no such run", "update_workflow_run_status", {"status": "B"}, {"workflow_run_id": 9}),
    ("no such run", "log_workflow_run_heartbeat", {"status": "R", **BEAT}, {"workflow_run_id": 9}),
    ("not there", "task_instance_error_log", None, {"task_instance_id": 1_001}),
    ("not there", "get_task_instance", None, {"task_instance_id": 1_001}),
    ("no table needed", "health", None, {}),
    ("no table needed", "get_time", None, {}),
    ("no table needed", "get_cluster", None, {"cluster_name": "sequential"}),
)
"""Requests to an empty table."""

BY_CASES: Final = (
    "add_task_template_version",
    "bind_dag",
    "bind_resources",
    "bind_task_template",
    "bind_tool",
    "bind_workflow",
    "create_array",
    "create_tool_version",
    "get_task_template_versions",
    "get_task_templates",
    "get_tool_versions",
)
"""Routes of which each case of events/cases is a scenario: what is new, known, or of nothing."""
OF_ATTEMPTS: Final = {"tasks", "task_instances"}
"""What of events/seed.json these need not."""


def usual_calls(others: Iterable[Scenario]) -> Iterator[Scenario]:
    """The event of each route that has no scenario of its own: a sample for what only reads or upserts."""
    tried = {*BY_CASES, *(scenario.route for scenario in others)}
    for route in sorted(ROUTES.keys() - tried):
        yield Scenario("its event", route, _by_event(route))
    for route in BY_CASES:
        for name in cases_of(route):
            yield bulk(name.removeprefix(f"{route}."), route, _by_event(name, without=OF_ATTEMPTS))


def _by_event(name: str, without: AbstractSet[str] = frozenset()) -> Callable[[], Ask]:
    def prepare() -> Ask:
        load(Seed.model_validate_json(SEED.read_bytes()).model_copy(update={each: [] for each in without}))
        event = read(name)
        query = {name: values[-1] for name, values in (event["multiValueQueryStringParameters"] or {}).items()}
        return Ask(event["httpMethod"], event["path"], event["body"], query)

    return prepare


SEEN: Final = [
    bulk("under way", "list_array_tasks", of_run("list_array_tasks", *"RQRD", query={"status": "R"})),
    bulk("what has changed", "task_status_updates", of_run("task_status_updates", *"DRF", held=True, body=lately)),
]
"""Looks at what an index shows."""
RESUMES: Final = resumes()
_OWN: Final = [
    *reports(),
    *of_batches(),
    *of_runs(),
    *of_bindings(),
    *of_instances(),
    *(bulk(name, route, partial(ask, route, body, **ids)) for name, route, body, ids in PLAIN),
    *workflows(),
    *clusters(),
]
SCENARIOS: Final = [*_OWN, *usual_calls(_OWN), *RESUMES, *SEEN]

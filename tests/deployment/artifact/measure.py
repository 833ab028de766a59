"""What functions take of memory and processor, as a Markdown table. Linux only; processor time is this machine's.

    make measure

First each function with its events in events/, then the bulk functions with one call each, of all that a call may have.
Such a call is given the time to end, for the embedded engine answers more slowly than DynamoDB. What is measured is
what the function itself does: while it waits, it takes no processor time. Last what a warm function takes for one more
event, and what it writes to its log: what local/prices.py reckons with.
"""

import json
import tempfile
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from local.engine import ENDPOINT_VARIABLE, dynamodb
from local.events import SEED, Event, cases, read, reply_body, route_name
from local.layer import build_for_host
from local.run import table_name
from local.seed import Seed, SeedArray, load
from local.template import Template
from lockstep.array.queue import TASKS_PER_BATCH
from lockstep.http.fields import MAX_TASKS_PER_CALL
from lockstep.task_instance.item import InstanceKey
from tests.deployment.artifact.lambdas import start
from tests.deployment.artifact.usage import cpu_seconds, peak_mib

PATIENCE_SECONDS: Final = 600
RUN: Final = 9_000_000
ARRAY: Final = SeedArray(
    array_id=9_000_000, name="a", workflow_id=9_000_000, task_template_version_id=1, max_concurrently_running=100
)
DAG: Final = 9_000_000
TIMES: Final = 200
OFTEN: Final = (
    "get_cluster",
    "get_array_task_instance_id",
    "log_running",
    "log_report_by",
    "log_done",
    "sync_status",
    "set_status_for_triaging",
    "log_workflow_run_heartbeat",
)
HEAD: Final = "| function | events | CPU s to start | CPU s for the events | peak MiB |\n|---|---|---|---|---|"

HEAD_AGAIN: Final = "| function | CPU ms for one more event | bytes of its log line |\n|---|---|---|"


class Measure:
    """Prints a row for each function that it is told to run."""

    def __init__(self, endpoint: str, layer: Path, scratch: Path) -> None:
        functions = Template().functions
        self.functions = {function.name: replace(function, timeout=PATIENCE_SECONDS) for function in functions}
        self._layer = layer
        self._scratch = scratch
        self._settings = {ENDPOINT_VARIABLE: endpoint, "TABLE_NAME": table_name()}

    def run(self, name: str, label: str, *events: Event) -> list[dict[str, Any]]:
        """The replies of a function that is started for these events, and compiles what it imports as in Lambda."""
        with start(self.functions[name], self._layer, self._settings, self._scratch) as function:
            to_start = cpu_seconds(function.pid)
            replies = [function.invoke(event) for event in events]
            for_events = cpu_seconds(function.pid) - to_start
            print(
                f"| {name} | {label} | {to_start:.2f} | {for_events:.2f} | {peak_mib(function.pid):.0f} |", flush=True
            )
        return replies

    def again(self, name: str) -> None:
        """Prints what a warm function takes for its first event, given to it again and again."""
        event = _by_a_caller(read(name))
        with start(self.functions[name], self._layer, self._settings, self._scratch) as function:
            function.invoke(event)
            cpu, logged = cpu_seconds(function.pid), len(function.stdout().encode())
            statuses = {function.invoke(event)["statusCode"] for _ in range(TIMES)}
            milliseconds = (cpu_seconds(function.pid) - cpu) / TIMES * 1000
            line = (len(function.stdout().encode()) - logged) / TIMES
        assert statuses == {HTTPStatus.OK}, statuses
        print(f"| {name} | {milliseconds:.1f} | {line:.0f} |", flush=True)

    def bulk(self, name: str, ids: int, *events: Event) -> Any:
        """The body of the last reply; all must be a 200."""
        replies = self.run(name, f"{len(events)} of {ids:,}", *events)
        assert {reply["statusCode"] for reply in replies} == {HTTPStatus.OK}, replies
        return reply_body(replies[-1])


def measure_events(measure: Measure) -> None:
    """Every function with all its events."""
    load(Seed.model_validate_json(SEED.read_bytes()))
    for name in measure.functions:
        events = [read(case) for case in cases() if route_name(case) == name]
        measure.run(name, str(len(events)), *events)


def measure_bulk(measure: Measure, size: int) -> list[int]:
    """An array of so many tasks, from bound to told to stop: each step in one call, which for a batch is smaller.

    Returns the tasks' ids.
    """
    load(Seed(arrays=[ARRAY]))
    tasks = {str(node): _task(node) for node in range(1, size + 1)}
    bind = {"workflow_id": ARRAY.workflow_id, "tasks": tasks}
    ids = sorted(task_id for task_id, _ in measure.bulk(*_one("bind_tasks_no_args", bind, size))["tasks"].values())
    queue = {"task_ids": ids, "task_resources_id": 1, "workflow_run_id": RUN}
    measure.bulk(*_one("queue_task_batch", queue, size))
    instances = [InstanceKey(task_id, 1).id for task_id in ids]
    measure.bulk(*_one("instantiate_task_instances", {"task_instance_ids": instances}, size))
    cluster_ids = {str(instance): f"8675309_{step}" for step, instance in enumerate(instances)}
    measure.bulk(*_one("array_log_distributor_id", cluster_ids, size))
    batches = range(1, size // TASKS_PER_BATCH + 1)
    first, *others = (
        _event("transition_to_launched", {"batch_number": batch, "next_report_increment": 279}) for batch in batches
    )
    measure.bulk("transition_to_launched", TASKS_PER_BATCH, first)
    measure.bulk("transition_to_launched", TASKS_PER_BATCH, *others)
    beat = {"task_instance_ids": instances, "next_report_increment": 279}
    measure.bulk(*_one("log_report_by_batch", beat, size))
    measure.bulk(*_one("sync_status", {"task_instance_ids": instances, "status": "I"}, size))
    measure.bulk(*_one("terminate_task_instances", {}, size))
    return ids


def measure_client(measure: Measure, task_ids: list[int]) -> None:
    """What a client asks about all tasks: their nodes in a chain, their statuses; that they start over."""
    size = len(task_ids)
    node = {"task_template_version_id": ARRAY.task_template_version_id}
    nodes = [{**node, "node_args_hash": f"{each:040}", "node_args": {"1": f"place {each}"}} for each in range(size)]
    measure.bulk(*_one("bind_nodes", {"nodes": nodes}, size))
    chain = [
        {
            "node_id": each,
            "upstream_node_ids": [each - 1][: each > 1],
            "downstream_node_ids": [each + 1][: each < size],
        }
        for each in range(1, size + 1)
    ]
    measure.bulk(*_one("add_edges", {"edges_to_add": chain, "mark_created": True}, size))
    measure.bulk(*_one("get_downstream_tasks", {"task_ids": task_ids, "dag_id": DAG}, size))
    measure.bulk(*_one("task_status_updates", {"last_sync": None}, size))
    page = {"max_task_id": ["0"], "chunk_size": [str(size)]}
    measure.bulk("get_tasks", size, _event("get_tasks", {}) | {"multiValueQueryStringParameters": page})
    measure.bulk(*_one("set_resume_state", {"reset_if_running": True}, size))


def measure_again(measure: Measure) -> None:
    """What is asked for each instance, and what is asked over and over."""
    load(Seed.model_validate_json(SEED.read_bytes()))
    for name in OFTEN:
        measure.again(name)


def _by_a_caller(event: Event) -> Event:
    """With what API Gateway says of a token's holder."""
    caller = {"principalId": "somebody", "scope": "operator"}
    return event | {"requestContext": event["requestContext"] | {"authorizer": caller}}


def _one(name: str, body: Any, size: int) -> tuple[str, int, Event]:
    return name, size, _event(name, body)


def _event(name: str, body: Any) -> Event:
    ids = {"array_id": ARRAY.array_id, "workflow_id": ARRAY.workflow_id, "workflow_run_id": RUN, "dag_id": DAG}
    path = {name: str(number) for name, number in {**ids, "task_id": ARRAY.workflow_id}.items()}
    return read(name) | {"pathParameters": path, "body": json.dumps(body)}


def _task(node: int) -> list[Any]:
    return [node, f"{node:040}", ARRAY.array_id, 1, "task", f"run_model --step {node}", 3, False, {}, []]


def _patient(layer: Path) -> Path:
    """The layer, whose functions give up only when this program does."""
    settings = {
        "clock.py": f"BULK_BUDGET_SECONDS = {PATIENCE_SECONDS}",
        "dynamodb/item.py": f"Item.Meta.read_timeout_seconds = {PATIENCE_SECONDS}",
    }
    for module, setting in settings.items():
        with (layer / "lockstep" / module).open("a", encoding="utf-8") as source:
            source.write(f"\n{setting}\n")
    return layer


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, dynamodb(table_name()) as endpoint:
        scratch = Path(folder)
        measure = Measure(endpoint, _patient(build_for_host(scratch / "layer")), scratch)
        print(HEAD)
        measure_events(measure)
        measure_client(measure, measure_bulk(measure, MAX_TASKS_PER_CALL))
        print(f"\n{HEAD_AGAIN}")
        measure_again(measure)


if __name__ == "__main__":
    main()

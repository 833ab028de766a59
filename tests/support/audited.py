"""A table with something of each kind of thing, which the audit finds well; and how tests tear it."""

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from local import seed_tools
from local.seed import Seed
from lockstep.context import request
from lockstep.dag.nodes import node_id
from lockstep.dynamodb.client import connection
from lockstep.dynamodb.item import Key, RawItem
from sim import requests
from sim.requests import Request
from tests.conformance.recording import Player
from tests.support.life import Life
from tests.support.linking import ask
from tests.support.memory.boundary import in_memory
from tests.support.memory.operations import Table
from tests.support.seeding import LONG_COMMAND
from tests.support.tools import a_template, add_version

Items = dict[tuple[str, str], RawItem]
Tear = Callable[[Items], None]

ARRAY: Final = 1001
TASKS: Final = [1_000_000_001, 1_000_000_002, 1_000_000_003, 1_000_000_004]
"""Of the array: done; failed and running again; overdue; launched."""
ARRAY_OF_ONE, TASK, RUN, WORKFLOW, RESOURCES = 1002, 1_000_000_005, 1002, 1001, 1001
TOOL_VERSION, VERSION_OF_TEMPLATE = 1001, 1001
"""Of a workflow of one task that is bound with all that there is."""
DAG: Final = 7
NODE: Final = node_id(1001, "1")
FREE_DAG: Final = 2**61 - 2
FREE_NODE: Final = 2**62 - 1
"""A DAG of no workflow, and its one node, which has a long list of neighbours above it."""
_TEMPLATE_VERSION: Final = {
    "task_template_version_id": 9,
    "command_template": "run {n}",
    "arg_mapping_hash": "5",
    "node_args": ["n"],
}
_TOOLS: Final = Seed.model_validate(
    {
        "tools": [
            {"tool_id": 1, "name": "a", "tool_version_ids": [3, 4]},
            {"tool_id": 2, "name": "b", "tool_version_ids": [5]},
        ],
        "task_templates": [
            {"task_template_id": 6, "tool_version_id": 4, "name": "t", "versions": [_TEMPLATE_VERSION]},
            {"task_template_id": 7, "tool_version_id": 4, "name": ""},
        ],
    }
)


class Client:
    """Binds and runs a workflow of one task, as Jobmon's client does."""

    def __init__(self, player: Player) -> None:
        self._player = player

    def ask(self, request: Request) -> Any:
        return ask(self._player, request)

    def bind_dag(self, dag: int, *edges: dict[str, Any], version: int) -> int:
        """A DAG with these edges, and a node with its arguments."""
        self.ask(requests.bind_dag(dag))
        node = {"task_template_version_id": version, "node_args_hash": "1", "node_args": {"1": "x"}}
        [bound] = self.ask(Request("POST", "/nodes", {"nodes": [node]}))["nodes"].values()
        self.ask(Request("POST", f"/dag/{dag}/edges", {"edges_to_add": edges, "mark_created": True}))
        return int(bound)

    def bind_workflow(self, *, edges: bool = True) -> dict[str, int]:
        """With its tool, template, node and DAG."""
        template = a_template(self._player)
        bound = add_version(self._player, template.id, node_args=["a"])[0]
        edge = {"node_id": node_id(bound, "1"), "upstream_node_ids": [], "downstream_node_ids": []}
        node = self.bind_dag(DAG, *[edge] * edges, version=bound)
        binding = requests.bind_workflow("w", 1, template.tool_version_id, DAG, workflow_attributes={"a": "b"})
        workflow = self.ask(binding)["workflow_id"]
        array = self.ask(requests.create_array(workflow, "a", bound))["array_id"]
        resources = self.ask(requests.bind_resources({}))
        return {"workflow": workflow, "node": node, "array": array, "resources": resources}

    def bind_task(self, known: dict[str, int], *, complete: bool, name: str = "t") -> int:
        row = [known["node"], "0", known["array"], known["resources"], name, "true", 3, True, {}, []]
        body = {"workflow_id": known["workflow"], "mark_created": complete, "tasks": {"1": row}}
        [[task, _]] = self.ask(Request("PUT", "/task/bind_tasks_no_args", body))["tasks"].values()
        return int(task)

    def link(self, workflow: int) -> int:
        return int(self.ask(requests.create_run(workflow, 93))["workflow_run_id"])

    def move(self, run: int, *statuses: str) -> None:
        for status in statuses:
            self.ask(requests.move_run(run, status))


def lay(player: Player, client: Any) -> Life:
    """Lay the table, and return the life of the array: it is in the midst of its run."""
    life = Life(player, client)
    tasks = life.begin(4, 3, LONG_COMMAND)
    assert (life.array, tasks) == (ARRAY, TASKS)
    first, second, third, _ = life.queue(tasks)
    for attempt in (first, second, third):
        life.start(attempt)
    life.end(first)
    life.fail(second)
    life.start(*life.queue([tasks[1]]))
    life.ask(requests.log_report_by(third, -1))
    life.sweep()
    _run_a_workflow(Client(player))
    neighbours = {"node_id": FREE_NODE, "upstream_node_ids": [*range(1, 301)], "downstream_node_ids": [1]}
    Client(player).bind_dag(FREE_DAG, neighbours, version=1)
    with request():
        for item in seed_tools.items(_TOOLS.tools, _TOOLS.task_templates):
            item.save()
    return life


def _run_a_workflow(client: Client) -> None:
    known = client.bind_workflow()
    task = client.bind_task(known, complete=True)
    client.ask(Request("PUT", "/task/bind_task_args", {"task_args": [[task, 1, "x"]]}))
    client.ask(Request("PUT", "/task/bind_task_attributes", {"task_attributes": {str(task): {"k": "v"}}}))
    run = client.link(known["workflow"])
    client.move(run, "B", "I", "O", "R")
    bound = {"workflow": WORKFLOW, "node": NODE, "array": ARRAY_OF_ONE, "resources": RESOURCES}
    assert (known, task, run) == (bound, TASK, RUN)


@cache
def _laid() -> Table:
    with in_memory() as memory:
        lay(Player(), connection().client)
    return memory.table


def whole() -> Items:
    """The table's items, which must not be changed in place."""
    return {key: {name: dict(value) for name, value in raw.items()} for key, raw in _laid().items.items()}


def torn(*tears: Tear) -> Items:
    """The table's items after these tears."""
    items = whole()
    for tear in tears:
        tear(items)
    return items


def added(key: Key, **attributes: Any) -> Tear:
    """Attributes are as DynamoDB has them."""

    def tear(items: Items) -> None:
        items[key] = items.get(key, {"pk": {"S": key.pk}, "sk": {"S": key.sk}}) | attributes

    return tear


def gone(*keys: Key) -> Tear:
    def tear(items: Items) -> None:
        for key in keys:
            del items[key]

    return tear


def changed(key: Key, **values: str | int | None) -> Tear:
    """None takes an attribute away."""

    def tear(items: Items) -> None:
        kept = {name: value for name, value in items[key].items() if name not in values}
        new = {name: {"S" if isinstance(value, str) else "N": str(value)} for name, value in values.items()}
        items[key] = kept | {name: value for name, value in new.items() if values[name] is not None}

    return tear


def copied(key: Key, to: Key) -> Tear:
    def tear(items: Items) -> None:
        items[to] = items[key] | {"pk": {"S": to.pk}, "sk": {"S": to.sk}}

    return tear


def moved(key: Key, to: Key) -> Tear:
    return all_of(copied(key, to), gone(key))


def all_of(*tears: Tear) -> Tear:
    def tear(items: Items) -> None:
        for each in tears:
            each(items)

    return tear

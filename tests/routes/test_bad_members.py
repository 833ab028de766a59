"""Every route that takes a list: one bad member of a call keeps no other from being served, or it is said why it does.

Jobmon's clients give up on a 4xx. So of each list a member that is not there, one of another array or run, a value that
is too long, null, a member twice and no member at all are sent beside good ones.
"""

import json
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import pytest

from lockstep.context import request
from lockstep.dynamodb.reads import fetch
from lockstep.http.fields import MAX_ARGUMENT_BYTES, MAX_NODE_ARG_CHARACTERS
from lockstep.routes import ROUTES, Route, route
from lockstep.task.arguments import TASKS_PER_CHUNK
from lockstep.task.bound_item import ArgumentChunk, TaskAttribute
from tests.conformance.recording import Player
from tests.support.contract import models
from tests.support.every import is_listed
from tests.support.seeding import a_dag, batch, pair, run_of

pytestmark = pytest.mark.usefixtures("table_in_memory")

KINDS: Final = ("unknown", "another's", "too long", "null")
LONG: Final = "x" * 400_000
HUGE: Final = 10**30
"""An id that nothing can have."""
IMPOSSIBLE: Final = (0, -1, HUGE)


class Members(NamedTuple):
    """Good members of a list, bad ones by kind, and how to tell that the good ones were served."""

    path: Mapping[str, int]
    body: Callable[[list[Any]], Any]
    """The body with these members."""
    good: list[Any]
    bad: Mapping[str, Any]
    served: Callable[[Player, Any], bool]
    """By the reply, and what stands after it."""


def _status(player: Player, task_instance_id: int) -> str:
    return str(player.whole(task_instance_id)["task_instance"]["status"])


def _ids(others: int, **bad: Any) -> dict[str, Any]:
    return {"unknown": 7_000_001, "another's": others, "too long": HUGE, "null": None, **bad}


def instantiate(_: Player) -> Members:
    ids = batch({"status": "Q"}, {"status": "Q"})
    return Members(
        {},
        lambda members: {"task_instance_ids": members},
        ids,
        _ids(pair("Q", "Q")),
        lambda player, _: {_status(player, number) for number in ids} == {"I"},
    )


def heartbeats(player: Player) -> Members:
    ids = batch({"status": "O"}, {"status": "O"})

    def due() -> set[str]:
        return {player.whole(number)["task_instance"]["report_by_date"] for number in ids}

    before = due()
    return Members(
        {},
        lambda members: {"task_instance_ids": members, "next_report_increment": 90_000},
        ids,
        _ids(pair("O", "O")),
        lambda _player, _reply: not due() & before,
    )


def poll(_: Player) -> Members:
    ids = batch({"status": "R"}, {"status": "R"})
    return Members(
        {"workflow_run_id": run_of(ids[0])},
        lambda members: {"task_instance_ids": members, "status": "O"},
        ids,
        _ids(pair("R", "R")),
        lambda _, reply: reply["status_updates"] == {"R": ids},
    )


def queue(_: Player) -> Members:
    ids = batch({"status": "E"}, {"status": "E"})
    tasks = [number // 1000 for number in ids]
    return Members(
        {"array_id": run_of(ids[0])},
        lambda members: {"task_ids": members, "task_resources_id": 1, "workflow_run_id": run_of(ids[0])},
        tasks,
        _ids(pair("E", "G") // 1000),
        lambda _, reply: set(reply["tasks_by_status"]["Q"]) == set(tasks),
    )


def cluster_ids(_: Player) -> Members:
    ids = batch({"status": "O"}, {"status": "O"}, {"status": "O"}, {"status": "O"})
    named = {str(number): f"7_{number}" for number in ids[:2]}
    return Members(
        {"array_id": run_of(ids[0])},
        dict,
        list(named.items()),
        {
            "unknown": ("7000001", "7"),
            "another's": (str(pair("O", "O")), "7"),
            "too long": (str(ids[2]), LONG),
            "null": (str(ids[3]), None),
        },
        lambda player, _: (
            {number: player.whole(int(number))["task_instance"]["distributor_id"] for number in named} == named
        ),
    )


def _array(player: Player, workflow_id: int) -> int:
    body = {"workflow_id": workflow_id, "task_template_version_id": 7, "max_concurrently_running": 9, "name": "a"}
    return int(player.send("POST", "/api/v3/array", json.dumps(body))[1]["array_id"])


def tasks_to_bind(player: Player) -> Members:
    array, other = _array(player, 71), _array(player, 72)

    def named(name: str, node: int, array_id: int, command: str | None = "true") -> tuple[str, list[Any]]:
        return name, [node, "9", array_id, 1, "t", command, 3]

    return Members(
        {},
        lambda members: {"workflow_id": 71, "tasks": dict(members)},
        [named("a", 1, array), named("b", 2, array)],
        {
            "unknown": named("bad", 3, 7_000_001),
            "another's": named("bad", 3, other),
            "too long": named("bad", 3, array, LONG),
            "null": named("bad", 3, array, None),
        },
        lambda _, reply: {"a", "b"} <= reply["tasks"].keys(),
    )


def nodes(_: Player) -> Members:
    def node(number: int, arg: Any = "x", version: int = 7) -> dict[str, Any]:
        return {"task_template_version_id": version, "node_args_hash": str(number), "node_args": {"1": arg}}

    return Members(
        {},
        lambda members: {"nodes": members},
        [node(1), node(2)],
        {
            "unknown": node(3, version=7_000_001),
            "another's": node(1, version=8),
            "too long": node(3, "x" * (MAX_NODE_ARG_CHARACTERS + 1)),
            "null": node(3, None),
        },
        lambda _, reply: {"7:1", "7:2"} <= reply["nodes"].keys(),
    )


def edges(player: Player) -> Members:
    assert player.send("POST", "/api/v3/dag", '{"dag_hash": 5}')[0] == 200

    def edge(node: int, below: Any) -> dict[str, Any]:
        return {"node_id": node, "upstream_node_ids": [], "downstream_node_ids": below}

    return Members(
        {"dag_id": 5},
        lambda members: {"edges_to_add": members, "mark_created": True},
        [edge(1, [2]), edge(2, [])],
        {"unknown": edge(9, [10]), "another's": edge(11, [1]), "too long": edge(9, [HUGE]), "null": edge(9, None)},
        lambda player, _: player.send("POST", "/api/v3/dag", '{"dag_hash": 5}')[1]["created_date"] is not None,
    )


def below(_: Player) -> Members:
    dag = a_dag((1, [], [2]), (2, [1], []), tasks=2)
    tasks = [dag, dag + 1]
    return Members(
        {},
        lambda members: {"task_ids": members, "dag_id": dag},
        tasks,
        _ids(pair("R", "R") // 1000),
        lambda _, reply: reply["downstream_tasks"].keys() == {str(number) for number in tasks},
    )


def arguments(_: Player) -> Members:
    tasks = [number // 1000 for number in batch({"status": "R"}, {"status": "R"})]
    named = [[task, 1, "x"] for task in tasks]

    def kept() -> list[list[Any]]:
        with request():
            chunks = [chunk for number in {task // TASKS_PER_CHUNK for task in tasks} for chunk in _chunks(number)]
        return [argument for chunk in chunks for argument in json.loads(zlib.decompress(chunk.packed))]

    return Members(
        {},
        lambda members: {"task_args": members},
        named,
        {
            "unknown": [7_000_001, 1, "x"],
            "another's": [pair("R", "R") // 1000, 1, "x"],
            "too long": [tasks[0], 2, "x" * (MAX_ARGUMENT_BYTES + 1)],
            "null": None,
        },
        lambda _player, _reply: [argument for argument in kept() if argument in named] == named,
    )


def _chunks(number: int) -> Iterable[ArgumentChunk]:
    return ArgumentChunk.query(ArgumentChunk.key(number, "").pk)


def attributes(_: Player) -> Members:
    tasks = [number // 1000 for number in batch({"status": "R"}, {"status": "R"})]

    def noted() -> list[str | None]:
        with request():
            found = fetch([TaskAttribute.key(task, "sex") for task in tasks], consistent=True)
        return [value["S"] for item in found.values() for name, value in item.items() if name == "value"]

    return Members(
        {},
        lambda members: {"task_attributes": dict(members)},
        [(str(task), {"sex": "2"}) for task in tasks],
        {
            "unknown": ("7000001", {"sex": "2"}),
            "another's": (str(pair("R", "R") // 1000), {"sex": "2"}),
            "too long": ("3", {"sex": LONG}),
            "null": ("3", None),
        },
        lambda _player, _reply: noted() == ["2", "2"],
    )


SWEPT: Final[dict[str, Callable[[Player], Members]]] = {
    "instantiate_task_instances": instantiate,
    "log_report_by_batch": heartbeats,
    "sync_status": poll,
    "queue_task_batch": queue,
    "array_log_distributor_id": cluster_ids,
    "bind_tasks_no_args": tasks_to_bind,
    "bind_task_args": arguments,
    "bind_task_attributes": attributes,
    "bind_nodes": nodes,
    "add_edges": edges,
    "get_downstream_tasks": below,
}
NOT_SWEPT: Final = {
    "add_task_template_version": "the names of one version's arguments: they are one thing",
    "bind_resources": "the resources of one task",
    "bind_workflow": "the attributes of one workflow, which is bound with all of them",
    "set_workflow_attributes": "as above",
}
WRONG_TYPE: Final = "what is of a wrong type can stand for any: decision 31"
NO_WORD: Final = "the reply has no word for a task that is not bound: decision 31"
DAMAGED: Final = "what is stored otherwise than it was said is found too late: departure 30"
REFUSED: Final = {
    **{
        (name, "null"): WRONG_TYPE
        for name in (
            "instantiate_task_instances",
            "log_report_by_batch",
            "sync_status",
            "queue_task_batch",
            "get_downstream_tasks",
            "bind_task_args",
            "bind_task_attributes",
        )
    },
    **{("bind_tasks_no_args", kind): NO_WORD for kind in KINDS},
    ("bind_task_attributes", "unknown"): "an attribute of nothing would never be seen: decision 53",
    **{(name, "too long"): DAMAGED for name in ("bind_nodes", "bind_task_args", "bind_task_attributes")},
    ("add_edges", "too long"): "a DAG that lacks an edge would run tasks too early",
}
"""The bad members that refuse the call, each by its name, and why."""


def takes_a_list(row: Route) -> bool:
    """Whether the body holds a list, or an object of any keys."""
    body = models(row).get("body")
    return body is not None and any(_is_list(field) for field in _fields(body.model_json_schema()))


def _fields(schema: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    return schema["properties"].values() if "properties" in schema else [schema]


def _is_list(field: Mapping[str, Any]) -> bool:
    kinds = [field, *field.get("anyOf", [])]
    return any("items" in kind or kind.get("type") == "object" for kind in kinds)


def test_every_route_that_takes_a_list_is_swept_or_it_is_said_why_not() -> None:
    lists = {row.name for row in ROUTES if takes_a_list(row)}
    is_listed(lists, SWEPT.keys() | NOT_SWEPT.keys(), "it takes a list; add it to SWEPT, or say in NOT_SWEPT why not")
    assert not SWEPT.keys() & NOT_SWEPT.keys()


def ask(player: Player, name: str, members: Members, sent: list[Any]) -> tuple[int, Any]:
    row = route(name)
    return player.send(row.method, row.resource.format(**members.path), json.dumps(members.body(sent)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SWEPT)
def test_one_bad_member_keeps_no_other_from_being_served(player: Player, name: str, kind: str) -> None:
    members = SWEPT[name](player)
    code, reply = ask(player, name, members, [members.bad[kind], *members.good])
    if (name, kind) in REFUSED:
        assert (code, len(reply["errors"])) == (422, 1)
        assert reply["errors"][0]["field"].split(".")[1] == _name(members.bad[kind])
    else:
        assert code == 200, reply
        assert members.served(player, reply)


@pytest.mark.parametrize(
    "name", ["instantiate_task_instances", "log_report_by_batch", "sync_status", "queue_task_batch"]
)
def test_ids_that_nothing_can_have_are_ignored(player: Player, name: str) -> None:
    members = SWEPT[name](player)
    code, reply = ask(player, name, members, [*IMPOSSIBLE, *members.good])
    assert code == 200, reply
    assert members.served(player, reply)


def test_ids_of_the_cluster_for_what_nothing_can_be_are_ignored(player: Player) -> None:
    members = cluster_ids(player)
    impossible = [(str(number), "7") for number in (*IMPOSSIBLE, "x")]
    code, reply = ask(player, "array_log_distributor_id", members, [*impossible, *members.good])
    assert code == 200, reply
    assert members.served(player, reply)


@pytest.mark.parametrize(("kind", "why"), [("another's", "belongs to workflow"), ("unknown", "does not exist")])
def test_a_binding_is_refused_for_the_array_of_a_task_by_name(player: Player, kind: str, why: str) -> None:
    members = tasks_to_bind(player)
    _, reply = ask(player, "bind_tasks_no_args", members, [*members.good, members.bad[kind]])
    [error] = reply["errors"]
    assert error["field"] == "tasks.bad.array_id"
    assert why in error["message"]


def _name(member: Any) -> str:
    """The member's key in an object; its place in a list, where it comes first."""
    return str(member[0]) if isinstance(member, tuple) else "0"


@pytest.mark.parametrize("name", SWEPT)
def test_a_member_that_is_named_twice_counts_once(player: Player, name: str) -> None:
    members = SWEPT[name](player)
    code, reply = ask(player, name, members, [*members.good, members.good[0]])
    assert code == 200, reply
    assert members.served(player, reply)


@pytest.mark.parametrize("name", SWEPT)
def test_no_member_at_all_is_served(player: Player, name: str) -> None:
    members = SWEPT[name](player)
    assert ask(player, name, members, [])[0] == 200

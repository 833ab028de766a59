"""What a caller says comes back to the letter, through a function, the table and another function."""

import json
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockstep.dynamodb.item import MAX_ID
from lockstep.task_instance.item import InstanceKey
from lockstep.text import size
from sim import requests
from tests.conformance.recording import Player
from tests.support.linking import ask as send
from tests.support.seeding import running
from tests.support.tools import add_version, ask, bind_template, bind_tool, versions_of

pytestmark = pytest.mark.usefixtures("table_in_memory")

BOUNDED: Final = settings(max_examples=20, suppress_health_check=list(HealthCheck))
ODD: Final = [
    "\x00",
    "\x10",
    "\x10d800",
    "\u0301",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\uffff",
    "\ud800",
    "\udfff",
    "😀",
    "\\u0041",
]
ANY: Final = st.lists(st.sampled_from(ODD) | st.text(st.characters(codec=None), max_size=5), max_size=12).map("".join)


def within(limit: int) -> st.SearchStrategy[str]:
    return ANY.filter(lambda text: size(text) <= limit)


def heard(text: str) -> str:
    """As whoever reads JSON has it: two halves of a character are one."""
    return str(json.loads(json.dumps(text)))


REPORT: Final = st.fixed_dictionaries(
    {"error_description": ANY},
    optional={
        "distributor_id": within(80),
        "nodename": within(255),
        "stdout": within(144) | st.just("/" + "é" * 300),
        "stderr": within(144),
        "stdout_log": ANY,
        "stderr_log": ANY,
    },
)


@BOUNDED
@given(REPORT)
def test_what_a_worker_says(player: Player, said: dict[str, str]) -> None:
    instance = running()
    path = f"/api/v3/task_instance/{instance}"
    body = json.dumps({"error_state": "E", **said})
    assert player.send("POST", f"{path}/log_error_worker_node", body) == (200, {"status": "E"})
    whole = player.whole(instance)
    expected = {name: heard(text) for name, text in said.items()}
    assert whole["errors"] == [expected.pop("error_description")]
    assert {name: whole["task_instance"][name] for name in expected} == expected


@BOUNDED
@given(within(1_000), within(1_000), ANY, within(255), within(255))
def test_what_a_task_is_called_and_runs(
    player: Player, array_name: str, name: str, command: str, args_hash: str, key: str
) -> None:
    workflow_id = MAX_ID - running()
    array = send(player, requests.create_array(workflow_id, array_name))["array_id"]
    row = [1, args_hash, array, 1, name, command, 3]
    bound = ask(player, "PUT", "/task/bind_tasks_no_args", {"workflow_id": workflow_id, "tasks": {key: row}})
    [(said_key, (task_id, status))] = bound["tasks"].items()
    assert (said_key, status) == (heard(key), "G")
    assert send(player, requests.queue(array, [task_id], 1, workflow_id)) == {"tasks_by_status": {"Q": [task_id]}}
    instance = InstanceKey(task_id, 1).id
    taken = send(player, requests.instantiate([instance]))
    assert taken == {"task_instance_batches": [[array, heard(array_name), 1, 1, [instance]]]}
    started = send(player, requests.log_running(instance, "n", 1, 90))
    assert started["task_instance"][:2] == [instance, "R"]
    assert started["task_instance"][4:6] == [heard(name), heard(command)]


@BOUNDED
@given(within(1_000), within(1_000), ANY, st.lists(within(1_000), max_size=5, unique_by=heard))
def test_what_a_tool_and_its_templates_are_called(
    player: Player, name: str, template_name: str, command: str, arguments: list[str]
) -> None:
    tool = ask(player, "POST", "/tool", {"name": name})["tool"]
    assert tool == [bind_tool(player, name), heard(name)]
    version = versions_of(player, tool[0])[-1]
    template = bind_template(player, version, template_name)
    assert [template, version, heard(template_name)] in ask(player, "GET", f"/tool_version/{version}/task_templates")[
        "task_templates"
    ]
    hashed = str(next(HASHES))
    row = add_version(player, template, command_template=command, arg_mapping_hash=hashed, node_args=arguments)
    names = [heard(argument) for argument in arguments]
    assert row[1:3] == [heard(command).strip(), names]
    assert row[5].keys() == {*names, "x", "v"}
    assert row in ask(player, "GET", f"/task_template/{template}/versions")["task_template_versions"]


HASHES: Final = count()
"""Of arguments."""
NUMBERS: Final = st.one_of(
    st.integers(-(10**80), 10**80),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1, -0.0, 5e-324, 1.7976931348623157e308, 1e22, 1e16, 2**53 + 1, 10**400]),
)
JSON: Final = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY,
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(ANY, inside, max_size=4),
    max_leaves=12,
)


@BOUNDED
@given(st.dictionaries(ANY, JSON, max_size=5))
def test_what_a_task_asks_of_the_cluster(player: Player, requested: dict[str, Any]) -> None:
    """Compared as text: 1, 1.0 and true are three things, and so are 0.0 and -0.0."""
    number = send(player, requests.bind_resources(requested))
    read = ask(player, "POST", f"/task_resources/{number}", {})
    assert json.dumps(read["requested_resources"]) == json.dumps(json.loads(json.dumps(requested)))


@BOUNDED
@given(ANY, JSON, JSON)
def test_of_two_equal_keys_the_last_counts(player: Player, key: str, first: Any, last: Any) -> None:
    name = json.dumps(key)
    pairs = f"{{{name}: {json.dumps(first)}, {name}: {json.dumps(last)}}}"
    _, number = player.send("POST", "/api/v3/task/bind_resources", f'{{"queue_id": 1, "requested_resources": {pairs}}}')
    _, read = player.send("POST", f"/api/v3/task_resources/{number}", "{}")
    assert json.dumps(read["requested_resources"]) == json.dumps(json.loads(pairs))

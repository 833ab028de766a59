"""List the nodes that wait for tasks."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from functions.dag.get_downstream_tasks.app import DownstreamReply
from local.meter import Meter
from lockstep.clock import now
from lockstep.dag import downstream
from lockstep.dag.edges import MOST_INLINE
from lockstep.dynamodb.item import MAX_ID, MAX_LONG_ID
from lockstep.errors import InvalidError
from lockstep.http.fields import MAX_NEIGHBOURS, MAX_TASKS_PER_CALL
from lockstep.http.reply import MAX_REPLY_BYTES, as_json, carried
from lockstep.task.item import Task
from tests.conformance.recording import Player
from tests.support.seeding import a_dag

DIAMOND: Final[tuple[tuple[int, list[int], list[int]], ...]] = (
    (1, [], [3, 2]),
    (2, [1], [4]),
    (3, [1], [4]),
    (4, [2, 3], []),
)
LARGE: Final = 2**62 - 1_000_000


def ask(player: Player, dag: Any, task_ids: Any, version: str | None = "3.6.0") -> tuple[int, Any]:
    query = {} if version is None else {"client_jobmon_version": version}
    body = json.dumps({"task_ids": task_ids, "dag_id": dag})
    return player.send("POST", "/api/v3/task/get_downstream_tasks", body, **query)


def below(player: Player, dag: Any, task_ids: Sequence[Any], version: str | None = "3.6.0") -> Any:
    status, reply = ask(player, dag, list(task_ids), version)
    assert status == 200, reply
    return reply["downstream_tasks"]


def test_a_diamond(player: Player) -> None:
    dag = a_dag(*DIAMOND, tasks=4)
    told = {str(dag): [1, [3, 2]], str(dag + 1): [2, [4]], str(dag + 2): [3, [4]], str(dag + 3): [4, None]}
    assert below(player, dag, range(dag, dag + 4)) == told, "in the order in which they came; null if there are none"
    assert below(player, dag, [dag + 1, dag + 1, str(dag)]) == {key: told[key] for key in (str(dag), str(dag + 1))}
    assert below(player, dag, []) == {}


@pytest.mark.parametrize("version", [None, "3.4.23", "3.3.0", "2.10", "abc", "", "3", "9" * 5_000])
def test_an_earlier_client_gets_the_list_as_text(player: Player, version: str | None) -> None:
    dag = a_dag(*DIAMOND, tasks=4)
    assert below(player, dag, [dag, dag + 3], version) == {str(dag): [1, "[3, 2]"], str(dag + 3): [4, None]}


@pytest.mark.parametrize("version", ["3.4.24", "3.5.0", "3.6.0", "3.6.1.dev3+g12ab", "3.7.0rc1", "3.10", "4.0"])
def test_a_later_one_gets_a_list(player: Player, version: str) -> None:
    dag = a_dag(*DIAMOND, tasks=1)
    assert below(player, dag, [dag], version) == {str(dag): [1, [3, 2]]}


def test_what_is_not_there_is_left_out(player: Player) -> None:
    dag, other = a_dag((1, [], [2]), tasks=2), a_dag((2, [], [1]), tasks=1)
    unknown = [0, -1, 999_999_999_999, MAX_ID + 1, 10**40]
    assert below(player, dag, [dag, dag + 1, *unknown]) == {str(dag): [1, [2]]}, "the second has no edges"
    assert below(player, other, [dag, dag + 1]) == {str(dag + 1): [2, [1]]}, "nodes belong to no DAG"
    for no_dag in (999_999_999, -1, 0):
        assert below(player, no_dag, [dag]) == {}


def test_a_task_without_a_node_is_left_out_and_so_is_one_that_has_expired(player: Player) -> None:
    dag = a_dag(*DIAMOND, tasks=3)
    Task(*Task.key(dag)).update([Task.node_id.remove()])
    Task(*Task.key(dag + 1)).update([Task.expires_at.set(int(now()) - 1)])
    assert below(player, dag, range(dag, dag + 3)) == {str(dag + 2): [3, [4]]}


def test_a_bound_task_tells_its_node(player: Player) -> None:
    dag = a_dag((LARGE, [], [LARGE + 1]), tasks=1)
    row = [LARGE, "9", dag, 1, "t", "true", 3]
    body = json.dumps({"workflow_id": dag, "tasks": {"a": row}})
    _, bound = player.send("PUT", "/api/v3/task/bind_tasks_no_args", body)
    [task, _] = bound["tasks"]["a"]
    assert below(player, dag, [task]) == {str(task): [LARGE, [LARGE + 1]]}


def test_five_hundred_tasks(player: Player, meter: Meter) -> None:
    count = 500
    dag = a_dag(*((node, [node - 1], [node + 1]) for node in range(2, count + 2)), tasks=count + 1)
    before = meter.usage()
    assert len(below(player, dag, range(dag + 1, dag + 1 + count))) == count
    after = meter.usage()
    assert after["dynamodb_requests"] - before["dynamodb_requests"] == 5 + 5
    assert after["read_units"] - before["read_units"] == 0.5 * count + 0.5 * count


@pytest.mark.parametrize("count", [MOST_INLINE, MOST_INLINE + 1, 50_000, 200_000])
def test_a_fan_out(player: Player, meter: Meter, count: int) -> None:
    """The nodes above it are many too, and are not read."""
    ids = list(range(LARGE, LARGE + count))
    dag = a_dag((1, ids, ids), tasks=1)
    before = meter.usage()["read_units"]
    assert below(player, dag, [dag]) == {str(dag): [1, ids]}
    long = 0 if count <= MOST_INLINE else 8 * count / 4096 / 2
    assert meter.usage()["read_units"] - before == pytest.approx(1 + long, abs=3)
    assert below(player, dag, [dag], None) == {str(dag): [1, json.dumps(ids)]}


def test_more_than_a_reply_holds_is_refused_before_it_is_read(player: Player, meter: Meter) -> None:
    ids = list(range(LARGE, LARGE + MAX_NEIGHBOURS))
    dag = a_dag((1, [], ids), (2, [], ids[:50_000]), tasks=2)
    before = meter.usage()["read_units"]
    status, problem = ask(player, dag, [dag, dag + 1])
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["task_ids"])
    assert "send fewer tasks a call" in problem["detail"]
    assert meter.usage()["read_units"] - before == 2, "no long list was read"
    assert len(below(player, dag, [dag])[str(dag)][1]) == MAX_NEIGHBOURS, "one task can always be told of"


def test_so_are_more_tasks_than_a_call_may_list(player: Player) -> None:
    status, problem = ask(player, 1, list(range(MAX_TASKS_PER_CALL + 1)))
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["task_ids"])


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *[("task_ids", wrong) for wrong in ("x", 1.5, None, {"1": 1}, 7)],
        *[("task_ids", [wrong]) for wrong in ("x", 1.5, None, True, [1], "1_0", " 1 ", "9" * 5_000, "")],
        *[("dag_id", wrong) for wrong in (1.5, None, True, "1_0", "x", 2**63, -(2**63) - 1, [1])],
    ],
)
def test_what_does_not_fit_is_named(player: Player, field: str, wrong: Any) -> None:
    body = {"task_ids": [1], "dag_id": 1, field: wrong}
    status, problem = player.send("POST", "/api/v3/task/get_downstream_tasks", json.dumps(body))
    assert status == 422
    assert problem["errors"][0]["field"].startswith(field)


@pytest.mark.parametrize("form", [list, json.dumps], ids=["list", "text"])
@pytest.mark.parametrize(("tasks", "ids"), [(10_000, 0), (10_000, 1), (3, 60_000), (1, MAX_NEIGHBOURS)])
def test_a_reply_is_never_more_than_was_reckoned(
    form: Any, tasks: int, ids: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = form([MAX_LONG_ID] * ids) if ids else None
    reply = DownstreamReply(downstream_tasks={str(MAX_ID - at): (MAX_LONG_ID, nodes) for at in range(tasks)})
    taken = carried(as_json(reply))
    assert taken <= MAX_REPLY_BYTES
    monkeypatch.setattr(downstream, "MAX_REPLY_BYTES", taken - 1)
    with pytest.raises(InvalidError):
        downstream._check_reply([ids] * tasks)  # noqa: SLF001  # what it reckons is not told otherwise

"""Give nodes their ids, and store their arguments."""

import json
import zlib
from itertools import count
from random import Random
from typing import Any, Final

import pytest
from pynamodb.exceptions import DoesNotExist

from local.item_size import item_size
from local.meter import Meter
from lockstep.dag import nodes as binding
from lockstep.dag.item import NodeArgs, unpack
from lockstep.dag.nodes import node_id
from lockstep.http.fields import MAX_NODE_ARG_CHARACTERS, MAX_NODES_PER_CALL
from tests.conformance.recording import Player
from tests.support.costs import taken

VERSIONS: Final = count(3_000_000)
"""Task template versions, each of one test."""


def node(version: Any, node_hash: Any, **args: Any) -> dict[str, Any]:
    values = {number.removeprefix("arg"): value for number, value in args.items()}
    return {"task_template_version_id": version, "node_args_hash": node_hash, "node_args": values}


def bind(player: Player, *nodes: dict[str, Any]) -> tuple[int, Any]:
    return player.send("POST", "/api/v3/nodes", json.dumps({"nodes": nodes}))


def bound(player: Player, *nodes: dict[str, Any]) -> dict[str, int]:
    status, reply = bind(player, *nodes)
    assert status == 200, reply
    ids: dict[str, int] = reply["nodes"]
    return ids


def stored(version: int) -> list[NodeArgs]:
    return list(NodeArgs.query(f"NODES#{version}", consistent_read=True))


def args_of(version: int) -> dict[int, dict[str, str]]:
    """The stored arguments by node."""
    found: dict[int, dict[str, str]] = {}
    for item in stored(version):
        found |= zip(unpack(item.node_ids), json.loads(zlib.decompress(item.args)), strict=True)
    return found


def refused(player: Player, *nodes: dict[str, Any]) -> list[str]:
    status, problem = bind(player, *nodes)
    assert status == 422, problem
    return [error["field"] for error in problem["errors"]]


def test_an_id_is_the_same_whatever_comes_with_it_and_whoever_asks(player: Player) -> None:
    version, other = next(VERSIONS), next(VERSIONS)
    rows = [node(version, "77", arg1="a"), node(version, "78", arg1="b"), node(other, "77")]
    ids = bound(player, *rows)
    assert ids.keys() == {f"{version}:77", f"{version}:78", f"{other}:77"}, "what was asked, and nothing else"
    assert len(set(ids.values())) == 3
    assert all(0 < number < 2**62 for number in ids.values())
    assert ids == {**bound(player, *reversed(rows[1:])), **bound(player, rows[0])}
    assert ids[f"{version}:77"] == node_id(version, "77")


def test_a_node_twice_is_one(player: Player) -> None:
    version = next(VERSIONS)
    assert len(bound(player, node(version, "7", arg1="first"), node(version, "7", arg1="second"))) == 1
    assert args_of(version) == {node_id(version, "7"): {"1": "first"}}


@pytest.mark.parametrize(
    ("version_as", "hash_as"), [(int, int), (str, str), (int, str), (str, int)], ids=lambda kind: kind.__name__
)
def test_numbers_may_come_as_text_and_hashes_as_numbers(player: Player, version_as: Any, hash_as: Any) -> None:
    version, digits = next(VERSIONS), "100000000000000000000000000000000000000000000000000000000000000000000000000016"
    row = node(version_as(version), hash_as(digits), arg1="a")
    assert bound(player, row) == {f"{version}:{digits}": node_id(version, digits)}


def test_a_hash_has_up_to_150_digits_and_is_never_a_float(player: Player) -> None:
    assert bound(player, node(1, "9" * 150)) == {f"1:{'9' * 150}": node_id(1, "9" * 150)}
    for wrong in ("9" * 151, 10**150, "1e77", 1e77, 1.5, "-7", -7, "", " 7", "0x7", "7\n", "\u0667", None, True, ["7"]):
        assert refused(player, node(1, wrong)) == ["nodes.0.node_args_hash"], wrong


def test_arguments_are_stored_as_they_come(player: Player) -> None:
    version = next(VERSIONS)
    said = {
        "1": "Ωmega 😀",
        "2": 'b/c"d\\',
        "281474976710655": "\ud800 \x00 \x10d800",
        "3": None,
        "4": 5,
        "5": 0.5,
        "6": "",
    }
    bound(player, {"task_template_version_id": version, "node_args_hash": "7", "node_args": said})
    [args] = args_of(version).values()
    assert args == {**said, "3": "", "4": "5", "5": "0.5"}


def test_an_argument_has_at_most_2048_characters_of_any_kind(player: Player) -> None:
    version = next(VERSIONS)
    bound(player, node(version, "7", arg1="😀" * MAX_NODE_ARG_CHARACTERS))
    assert args_of(version)[node_id(version, "7")] == {"1": "😀" * MAX_NODE_ARG_CHARACTERS}
    [field] = refused(player, node(version, "7", arg1="a"), node(version, "8", arg5="v" * 2049))
    assert field == "nodes.1.node_args.5"


@pytest.mark.parametrize("key", ["n", "", "-1", "0", "1.5", "1_0", str(2**53)])
def test_an_argument_has_an_id(player: Player, key: str) -> None:
    [field] = refused(player, {"task_template_version_id": 1, "node_args_hash": "7", "node_args": {key: "v"}})
    assert field.startswith(f"nodes.0.node_args.{key}")


@pytest.mark.parametrize("value", [True, [], {}, ["a"]])
def test_an_argument_is_text_or_a_number(player: Player, value: Any) -> None:
    assert refused(player, node(1, "7", arg1=value)) == ["nodes.0.node_args.1"]


def test_the_arguments_of_one_node_are_bounded(player: Player) -> None:
    many = {str(number): "v" * 2_000 for number in range(1, 152)}
    row = {"task_template_version_id": 1, "node_args_hash": "7", "node_args": many}
    assert refused(player, row) == ["nodes.0.node_args"]


def test_so_are_the_nodes_of_a_call_and_a_reply_tells_of_all(player: Player) -> None:
    rows = [node(2**53 - 1, str(10**149 + number)) for number in range(MAX_NODES_PER_CALL)]
    assert len(bound(player, *rows)) == MAX_NODES_PER_CALL
    assert refused(player, *rows, node(1, "7")) == ["nodes"]


def usual(version: int, count_of: int = 500) -> list[dict[str, Any]]:
    """Nodes as Jobmon's client sends them in one call."""
    random = Random(version)  # noqa: S311  # the same every time
    return [node(version, str(random.getrandbits(256)), arg1=str(number)) for number in range(count_of)]


def test_five_hundred_usual_nodes(player: Player, meter: Meter) -> None:
    version = next(VERSIONS)
    rows = usual(version)
    assert taken(meter, player, "POST", "/nodes", {"nodes": rows}) == (1, 6, 0)
    assert len(args_of(version)) == 500


def test_the_same_nodes_again_in_any_order_are_the_same_item(player: Player) -> None:
    version = next(VERSIONS)
    rows = usual(version)
    bound(player, *rows)
    bound(player, *reversed(rows))
    assert len(stored(version)) == 1
    bound(player, *rows[:400])
    assert len(stored(version)) == 2, "another chunking of the same nodes is stored beside the first"
    assert {number: args["1"] for number, args in args_of(version).items()} == {
        node_id(version, row["node_args_hash"]): row["node_args"]["1"] for row in rows
    }


def test_without_arguments_nothing_is_stored(player: Player, meter: Meter) -> None:
    assert taken(meter, player, "POST", "/nodes", {"nodes": [node(1, "7"), node(1, "8")]}) == (0, 0, 0)


def test_arguments_that_no_item_holds_are_split(player: Player) -> None:
    """They do not shrink: every item is nearly as large as they are."""
    version, random = next(VERSIONS), Random(1)  # noqa: S311  # the same every time
    alphabet = [chr(number) for number in range(32, 127)]
    rows = [
        {
            "task_template_version_id": version,
            "node_args_hash": str(number),
            "node_args": {str(arg): "".join(random.choices(alphabet, k=2_000)) for arg in range(1, 101)},
        }
        for number in range(20)
    ]
    bound(player, *rows)
    items = stored(version)
    assert len(items) > 10
    assert max(item_size(item.serialize()) for item in items) < 390_000
    assert args_of(version) == {node_id(version, str(row["node_args_hash"])): row["node_args"] for row in rows}


def test_nodes_of_several_versions_are_stored_apart(player: Player) -> None:
    versions = [next(VERSIONS) for _ in range(30)]
    bound(player, *(node(version, "7", arg1=str(version)) for version in versions))
    assert all(list(args_of(version).values()) == [{"1": str(version)}] for version in versions)


def test_two_nodes_with_one_id_are_refused_by_name(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    version = next(VERSIONS)
    monkeypatch.setattr(binding, "node_id", lambda _, node_args_hash: int(node_args_hash[0]))
    status, problem = bind(player, *(node(version, digits, arg1="a") for digits in ("1", "25", "27", "25")))
    assert status == 422
    assert problem["errors"] == [
        {"field": "nodes.2", "message": f"node {version}:27 has the id of node {version}:25: 2"}
    ]
    assert stored(version) == []


def test_an_item_says_which_nodes_it_is_about(player: Player) -> None:
    version = next(VERSIONS)
    bound(player, node(version, "7", arg1="a"))
    [item] = stored(version)
    assert NodeArgs.key(version, item.node_ids, item.args) == (item.pk, item.sk)
    with pytest.raises(DoesNotExist):
        NodeArgs.get(*NodeArgs.key(version, item.node_ids, b"other"))

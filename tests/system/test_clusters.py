"""`make clusters` loads a file into a table whole, once, and whoever loads meanwhile loses nothing."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.engine import create_table
from lockstep.cluster.item import Clusters
from lockstep.dynamodb.client import connect, connection
from lockstep.dynamodb.item import Item
from ops.clusters import __main__ as program
from ops.clusters.document import FileError
from ops.clusters.file import MOST_BYTES_OF_PARAMETERS, parse
from tests.support.clients import a_client_of_our_own
from tests.support.clusters import EXAMPLE, load_clusters
from tests.support.serving import alone, port_of, run_alone, run_module, running

TABLES = count()
ANOTHER = b"clusters: [{name: c, id: 9, type: sge, queues: [{name: q, id: 9}]}]"


@pytest.fixture
def own_table(table: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """This process's programs work on a new table."""
    name = f"clusters-{next(TABLES)}"
    create_table(table, name)
    monkeypatch.setattr(Item.Meta, "table_name", name)
    with a_client_of_our_own():
        connect()
        yield name


def stored() -> Clusters:
    return Clusters.get(*Clusters.key(), consistent_read=True)


def names() -> list[str]:
    return [cluster.name for cluster, _ in stored().with_queues()]


@pytest.mark.usefixtures("own_table")
def test_twice_is_once() -> None:
    assert load_clusters()[1:] == (5, 0)
    before = stored()
    assert load_clusters()[1:] == (0, 0)
    assert stored().serialize() == before.serialize()
    assert before.version == 1


@pytest.mark.usefixtures("own_table")
def test_one_file_after_another() -> None:
    load_clusters()
    load_clusters(ANOTHER)
    assert (names(), stored().version) == (["slurm", "two-at-once", "c"], 2)


@pytest.mark.usefixtures("own_table")
@pytest.mark.parametrize("first", [False, True])
def test_whoever_loads_meanwhile_loses_nothing(*, first: bool) -> None:
    if not first:
        load_clusters(b"clusters: [{name: a, id: 8, type: sge, queues: [{name: q, id: 8}]}]")
    others = [ANOTHER]

    def load_another(**_: Any) -> None:
        if others:
            load_clusters(others.pop())

    events = connection().client.meta.events
    events.register("before-call.dynamodb.PutItem", load_another)
    load_clusters()
    events.unregister("before-call.dynamodb.PutItem", load_another)
    assert names() == ["slurm", "two-at-once", *(["a"] if not first else []), "c"]


@pytest.mark.usefixtures("own_table")
def test_a_load_whose_reply_was_lost_is_found_done() -> None:
    lost = [True]

    def lose(parsed: dict[str, Any], **_: Any) -> None:
        if lost:
            lost.pop()
            parsed.clear()
            parsed["Error"] = {"Code": "ConditionalCheckFailedException", "Message": "as a second try finds it"}

    events = connection().client.meta.events
    events.register("after-call.dynamodb.PutItem", lose)
    assert program.load(*parse(EXAMPLE.read_bytes())).clusters
    events.unregister("after-call.dynamodb.PutItem", lose)
    assert (names(), stored().version) == (["slurm", "two-at-once"], 1)


@pytest.mark.usefixtures("own_table")
def test_more_than_an_item_holds_is_refused() -> None:
    text = "x" * (MOST_BYTES_OF_PARAMETERS - 100)

    def some(first: int, number: int) -> bytes:
        queues = [{"name": f"q{each}", "id": each, "parameters": {"a": text}} for each in range(first, first + number)]
        return json.dumps({"clusters": [{"name": f"c{first}", "id": first, "type": "t", "queues": queues}]}).encode()

    load_clusters(some(100, 19))
    with pytest.raises(FileError, match="at most 400000 can be stored"):
        load_clusters(some(200, 2))
    assert names() == ["c100"]


def test_the_command_loads_into_a_table(own_table: str, tmp_path: Path) -> None:
    where = ("--table", own_table, "--region", "us-east-1")
    done = run_module("ops.clusters", str(EXAMPLE), *where)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("loaded: 5 clusters and queues are new, 0 changed.\n")
    again = run_module("ops.clusters", str(EXAMPLE), *where)
    assert (again.returncode, again.stdout) == (0, "nothing to do: the table holds all of it\n")
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        EXAMPLE.read_text(encoding="utf-8").replace("two-at-once\n    id: 5", "two-at-once\n    id: 7"),
        encoding="utf-8",
    )
    refused = run_module("ops.clusters", str(wrong), *where)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[:2] == [
        f"{wrong} is refused; nothing was loaded.",
        "line 23: clusters.1.id: cluster two-at-once has the id 5 for good",
    ]
    assert stored().version == 1


def test_the_command_ends_with_2_where_it_cannot_read_or_write(own_table: str, tmp_path: Path) -> None:
    assert own_table
    for options, why in (
        ((str(tmp_path / "none.yaml"),), "cannot read "),
        ((str(EXAMPLE), "--table", "no-such-table", "--region", "us-east-1"), "the table did not answer: "),
        ((str(EXAMPLE), "--table", "a", "--stack", "b"), "not allowed with"),
    ):
        ended = run_module("ops.clusters", *options)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert why in ended.stderr


def test_the_command_loads_into_what_runs_on_a_port() -> None:
    with running(alone()) as (_, url):
        port = port_of(url)
        done = run_alone("ops.clusters", "docs/clusters.yaml", "--port", port)
        reply = httpx.get(f"{url}/cluster/4/queue/all.q", timeout=30, trust_env=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert reply.json()["queue"][:2] == [4, "all.q"]
    gone = run_alone("ops.clusters", "docs/clusters.yaml", "--port", port)
    said = f"nothing was loaded: nothing runs on port {port}: start it with `make run PORT={port}`\n"
    assert (gone.returncode, gone.stderr) == (2, said)

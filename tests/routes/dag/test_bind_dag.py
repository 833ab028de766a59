"""Find or create a DAG."""

import json
import re
from itertools import count
from typing import Any, Final

import pytest

from functions.dag.bind_dag.app import DagToBind
from tests.conformance.recording import Player

HASHES: Final = count(2**61 - 10_000_000)


def bind(player: Player, dag_hash: Any) -> tuple[int, Any]:
    return player.send("POST", "/api/v3/dag", json.dumps({"dag_hash": dag_hash}))


def complete(player: Player, dag_id: int) -> None:
    body = json.dumps({"edges_to_add": [], "mark_created": True})
    assert player.send("POST", f"/api/v3/dag/{dag_id}/edges", body) == (200, {})


def test_its_id_is_its_hash_and_it_has_a_date_once_it_is_complete(player: Player) -> None:
    dag = next(HASHES)
    for said in (dag, dag, str(dag)):
        assert bind(player, said) == (200, {"dag_id": dag, "created_date": None})
    complete(player, dag)
    status, found = bind(player, dag)
    assert (status, found["dag_id"]) == (200, dag)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", found["created_date"])
    complete(player, dag)
    assert bind(player, str(dag)) == (200, found), "the first time counts"


def test_every_hash_of_a_client_is_an_id(player: Player) -> None:
    assert DagToBind.model_validate_json('{"dag_hash": 0}').dag_hash == 0
    for dag_hash in (1, 2**61 - 2, 2**63 - 1):
        assert bind(player, dag_hash)[1]["dag_id"] == dag_hash


@pytest.mark.parametrize("wrong", [-1, 2**63, 10**77, "x", "", 1.5, None, [5]], ids=repr)
def test_what_no_client_sends_is_refused(player: Player, wrong: Any) -> None:
    status, problem = bind(player, wrong)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["dag_hash"])

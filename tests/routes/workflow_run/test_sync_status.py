"""The distributor polls for what became of its instances."""

from typing import Final

import pytest

from functions.workflow_run.sync_status.app import SyncReply
from lockstep import clock
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.workflow_run.poll import MOST_READ, MOST_TOLD
from tests.support.contract import Contract, System, Usage, check

TOLD: Final = list(range(MAX_ID - MOST_READ - MOST_TOLD, MAX_ID))
CONTRACT = Contract(
    name="sync_status",
    scope=Scope.DISTRIBUTOR,
    usage=Usage(9, 0, 7),
    reads=(
        "10,000 listed instances (10 MB); the batches that may hold others, or the entries of flagged ones, as "
        "far as a share of the time holds; what it tells of them (10 MB)"
    ),
    largest=SyncReply(status_updates={TaskInstanceStatus.QUEUED: TOLD}, time=clock.naive(0)),
    body={"task_instance_ids": [], "status": "R"},
    unknown=200,
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)

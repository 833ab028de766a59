"""List the tasks of a workflow that are not done, page by page."""

import pytest

from lockstep.access.scopes import Scope
from tests.support.contract import Contract, System, Usage, check

CONTRACT = Contract(
    name="get_tasks",
    scope=Scope.READER,
    usage=Usage(5, 0, 4.5),
    unknown=200,
    query={"max_task_id": "0", "chunk_size": "500"},
)


@pytest.mark.parametrize("what", CONTRACT.checks())
def test_contract(what: str, system: System) -> None:
    check(what, CONTRACT, system)

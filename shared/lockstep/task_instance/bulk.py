"""Set one attribute of many instances at once, where a condition holds: PartiQL statements, 25 a request."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from lockstep import text
from lockstep.clock import now, sleep
from lockstep.context import deadline
from lockstep.dynamodb.client import (
    BUGS,
    CONDITION_FAILED,
    chunks,
    connection,
    pauses,
    reach,
    run_parallel,
)
from lockstep.dynamodb.item import Item
from lockstep.errors import TableError
from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.task_instance.item import (
    InstanceKey,
    TaskInstance,
)

STATEMENTS_PER_REQUEST: Final = 25


def log_heartbeats(instances: Iterable[InstanceKey], report_by: float) -> None:
    """Set report_by of the instances that are LAUNCHED. All others stay as they are; unknown ones are ignored.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {key: {"report_by": {"N": str(report_by)}} for key in instances}
    _set_where(changes, "status", {"S": TaskInstanceStatus.LAUNCHED.value})


def log_distributor_ids(distributor_ids: Mapping[InstanceKey, str], array_id: int) -> None:
    """Store the distributor ids of instances of this array. All others stay as they are; unknown ones are ignored.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {
        key: {"distributor_id": {"S": text.escape(said)}, "launched_as": {"S": text.digest(said)}}
        for key, said in distributor_ids.items()
    }
    _set_where(changes, "array_id", {"N": str(array_id)})


def log_taken_again(instances: Iterable[InstanceKey]) -> list[InstanceKey]:
    """Note that a distributor, maybe a new one, is told of the instances that are INSTANTIATED, and return those.

    One request for 25 instances, one write unit each. Repeating it changes nothing further.
    """
    changes = {key: {"taken_at": {"N": str(now())}} for key in instances}
    return _set_where(changes, "status", {"S": TaskInstanceStatus.INSTANTIATED.value})


_Value = dict[str, str]
"""An attribute's value as DynamoDB types it."""


def _set_where(changes: Mapping[InstanceKey, Mapping[str, _Value]], where: str, equals: _Value) -> list[InstanceKey]:
    """Set the same attributes of each instance for which `where = equals` holds, and return those."""
    attributes = next(iter(changes.values()), {})
    settings = " ".join(f'SET "{attribute}"=?' for attribute in attributes)
    statement = f'UPDATE "{Item.Meta.table_name}" {settings} WHERE pk=? AND sk=? AND "{where}"=?'

    def set_some(instances: Sequence[InstanceKey]) -> list[InstanceKey]:
        codes: dict[InstanceKey, str | None] = {}
        left = list(instances)
        for pause in pauses():
            codes |= reach(lambda: _execute(statement, left, changes, equals))  # noqa: B023  # called at once
            left = [key for key, code in codes.items() if code not in {None, CONDITION_FAILED}]
            if not left:
                break
            if deadline().passed():
                raise TableError(f"gave up after the time budget: {len(left)} instances are left")
            sleep(pause)
        return [key for key, code in codes.items() if code is None]

    done = run_parallel(set_some, chunks(changes, STATEMENTS_PER_REQUEST))
    return [key for some in done for key in some]


def _execute(
    statement: str,
    instances: Sequence[InstanceKey],
    changes: Mapping[InstanceKey, Mapping[str, _Value]],
    equals: _Value,
) -> dict[InstanceKey, str | None]:
    """The error code of each statement. None: it was executed."""
    statements = [
        {
            "Statement": statement,
            "Parameters": [*changes[key].values(), {"S": pk}, {"S": sk}, equals],
        }
        for key, (pk, sk) in ((key, TaskInstance.key(key)) for key in instances)
    ]
    reply = connection().client.batch_execute_statement(Statements=statements, ReturnConsumedCapacity="TOTAL")
    codes = [each.get("Error", {}).get("Code") for each in reply["Responses"]]
    if bugs := set(codes) & BUGS:
        raise RuntimeError(f"a statement of ours is refused: {', '.join(bugs)}")
    return dict(zip(instances, codes, strict=True))

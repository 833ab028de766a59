"""Change many items, each where a condition of its own holds: PartiQL statements, 25 a request."""

from collections.abc import Mapping, Sequence
from typing import Final

from lockstep.clock import sleep
from lockstep.context import deadline
from lockstep.dynamodb.client import BUGS, CONDITION_FAILED, chunks, connection, pauses, reach, run_parallel
from lockstep.dynamodb.item import Item, Key
from lockstep.errors import TableError

STATEMENTS_PER_REQUEST: Final = 25

Value = dict[str, str]
"""An attribute's value in DynamoDB's JSON."""
Change = Mapping[str, Value]
"""Values by attribute."""
Statement = Mapping[str, str | list[Value]]
"""A statement with its parameters, as BatchExecuteStatement takes it."""
_NOTHING: Final[Mapping[Key, Sequence[str]]] = {}


def set_where(
    changes: Mapping[Key, Change],
    where: str,
    equals: Mapping[Key, Value],
    remove: Mapping[Key, Sequence[str]] = _NOTHING,
) -> list[Key]:
    """Set attributes of each item whose attribute `where` equals the value given for its key; return those keys.

    remove: attributes that some items have and lose. One request for 25 items, one write unit for each kilobyte.

    Raises:
        ContentionError, TableError: see client.reach. Some items may be changed; the same call again does the rest.
    """

    def statement(key: Key) -> Statement:
        actions = [f'SET "{attribute}"=?' for attribute in changes[key]]
        actions += [f'REMOVE "{attribute}"' for attribute in remove.get(key, ())]
        return {
            "Statement": f'UPDATE "{Item.Meta.table_name}" {" ".join(actions)} WHERE pk=? AND sk=? AND "{where}"=?',
            "Parameters": [*changes[key].values(), *({"S": part} for part in key), equals[key]],
        }

    def set_some(keys: Sequence[Key]) -> list[Key]:
        codes: dict[Key, str | None] = {}
        left = list(keys)
        for pause in pauses():
            codes |= zip(left, _execute([statement(key) for key in left]), strict=True)
            left = [key for key, code in codes.items() if code not in {None, CONDITION_FAILED}]
            if not left:
                break
            if deadline().passed():
                raise TableError(f"gave up after the time budget: {len(left)} items are left")
            sleep(pause)
        return [key for key, code in codes.items() if code is None]

    done = run_parallel(set_some, chunks(changes, STATEMENTS_PER_REQUEST))
    return [key for some in done for key in some]


def _execute(statements: Sequence[Statement]) -> list[str | None]:
    """The error code of each statement. None: it was executed."""
    reply = reach(
        lambda: connection().client.batch_execute_statement(Statements=statements, ReturnConsumedCapacity="TOTAL")
    )
    codes = [each.get("Error", {}).get("Code") for each in reply["Responses"]]
    if bugs := set(codes) & BUGS:
        raise RuntimeError(f"a statement of ours is refused: {', '.join(bugs)}")
    return codes

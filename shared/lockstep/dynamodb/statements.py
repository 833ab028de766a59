"""Change many items, each where a condition of its own holds: PartiQL statements, 25 a request."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from lockstep.clock import sleep
from lockstep.context import deadline
from lockstep.dynamodb.client import BUGS, CONDITION_FAILED, connection, pauses, reach
from lockstep.dynamodb.item import Item, Key
from lockstep.dynamodb.parallel import chunks, run_parallel
from lockstep.errors import TableError

STATEMENTS_PER_REQUEST: Final = 25

Value = dict[str, str]
"""An attribute's value in DynamoDB's JSON."""
Change = Mapping[str, Value]
"""Values by attribute."""
Statement = Mapping[str, str | list[Value]]
"""A statement with its parameters, as BatchExecuteStatement takes it."""
_NOTHING: Final[Mapping[Key, Sequence[str]]] = {}


class Where(NamedTuple):
    """A condition on an item, in PartiQL, with its parameters in order."""

    condition: str
    parameters: tuple[Value, ...] = ()


def equals(attribute: str, value: Value) -> Where:
    """The attribute has this value."""
    return Where(f'"{attribute}"=?', (value,))


def one_of(attribute: str, values: Sequence[Value]) -> Where:
    """The attribute has one of these values."""
    return Where(f'"{attribute}" IN [{", ".join("?" for _ in values)}]', tuple(values))


def is_missing(attribute: str) -> Where:
    """The item does not have the attribute."""
    return Where(f'"{attribute}" IS MISSING')


def all_of(*parts: Where) -> Where:
    """Each of these holds."""
    condition = " AND ".join(part.condition for part in parts)
    return Where(condition, tuple(value for part in parts for value in part.parameters))


def set_where(
    changes: Mapping[Key, Change],
    where: Mapping[Key, Where],
    remove: Mapping[Key, Sequence[str]] = _NOTHING,
) -> list[Key]:
    """Set attributes of each item for which the condition given for its key holds; return those keys.

    remove: attributes that some items have and lose. One request for 25 items, one write unit for each kilobyte.

    Raises:
        ContentionError, TableError: see client.reach. Some items may be changed; the same call again does the rest.
    """

    def statement(key: Key) -> Statement:
        actions = [f'SET "{attribute}"=?' for attribute in changes[key]]
        actions += [f'REMOVE "{attribute}"' for attribute in remove.get(key, ())]
        condition, parameters = where[key]
        return {
            "Statement": f'UPDATE "{Item.Meta.table_name}" {" ".join(actions)} WHERE pk=? AND sk=? AND {condition}',
            "Parameters": [*changes[key].values(), *({"S": part} for part in key), *parameters],
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

"""Measure what the embedded engine takes of the processor for a request, and what it takes more with `make run DATA=…`.

Each round writes a task and its instance as a life does: two are put, the instance is updated, the task is read, both
are moved in one transaction.
"""

import itertools
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from bench.load.processor import seconds
from local import engine
from local.folder import Folder, claimed
from local.run import table_name

ROUNDS: Final = 1000
REQUESTS_A_ROUND: Final = 5
WARM_UP_ROUNDS: Final = 200
BYTES: Final = 400
"""Of an item, beside its keys and its status."""


@contextmanager
def _running(folder: Folder | None) -> Iterator[Callable[[], float]]:
    port = engine.free_port()
    process = engine.start(port, folder, table_name())
    try:
        client = engine.client(engine.endpoint_at(port))
        engine.create_table(engine.endpoint_at(port), table_name())
        numbers = itertools.count()
        for _ in range(WARM_UP_ROUNDS):
            _round(client, next(numbers))

        def measure() -> float:
            began = seconds(process.pid)
            for _ in range(ROUNDS):
                _round(client, next(numbers))
            return (seconds(process.pid) - began) * 1000 / (ROUNDS * REQUESTS_A_ROUND)

        yield measure
    finally:
        engine.end(process)


def _round(client: Any, number: int) -> None:
    table = table_name()
    task, instance = ({"pk": {"S": f"TASK#{number}"}, "sk": {"S": sk}} for sk in ("TASK", "TI#001"))
    rest = {"status": {"S": "G"}, "text": {"S": "x" * BYTES}}
    for key in (task, instance):
        client.put_item(TableName=table, Item=key | rest)
    client.update_item(TableName=table, Key=instance, **_move("G", "R"))
    client.get_item(TableName=table, Key=task, ConsistentRead=True)
    client.transact_write_items(
        TransactItems=[
            {"Update": {"TableName": table, "Key": key} | _move(source, "D")}
            for key, source in ((instance, "R"), (task, "G"))
        ]
    )


def _move(source: str, target: str) -> dict[str, Any]:
    return {
        "UpdateExpression": "SET #0 = :1",
        "ConditionExpression": "#0 = :0",
        "ExpressionAttributeNames": {"#0": "status"},
        "ExpressionAttributeValues": {":0": {"S": source}, ":1": {"S": target}},
    }


def main() -> None:
    """Print milliseconds of processor a request, in turn without and with a folder."""
    with (
        tempfile.TemporaryDirectory() as path,
        claimed(Path(path)) as folder,
        _running(None) as forgetting,
        _running(folder) as keeping,
    ):
        for number in range(1, 4):
            print(
                f"{number}: processor of the engine, ms/request: {forgetting():.2f}, with DATA {keeping():.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()

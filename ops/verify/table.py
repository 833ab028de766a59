"""Check on a deployed table what Lockstep relies on, and what only an AWS account can tell.

All items are written under a partition key of this run's own, which no item of Lockstep's has, and deleted at the end.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from local.item_size import item_size
from lockstep.dynamodb.item import ArrayStepIndex, RunIndex
from ops.verify.checks import Checks, say
from ops.verify.session import new_workflow
from ops.verify.target import UsageError

TITLE: Final = "The table"
ONLY_AWS: Final = "only an AWS account can tell, and this table is not on AWS"
_AWS_HOSTS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")
_MOVES: Final = 20
_CANCELLED: Final = "TransactionCanceledException"
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"


class Table:
    """A partition of the table for one run of the checks."""

    def __init__(self, client: Any, name: str, checks: Checks) -> None:
        self.client: Final = client
        self.name: Final = name
        self.checks: Final = checks
        self.partition: Final = f"VERIFY#{uuid.uuid4()}"
        self.run: Final = str(new_workflow().workflow_id)
        """A workflow run that nobody else has, for entries of the run index."""

    @property
    def is_on_aws(self) -> bool:
        """Whether AWS answers, and not another engine."""
        return (urlsplit(self.client.meta.endpoint_url).hostname or "").endswith(_AWS_HOSTS)

    def key(self, name: str) -> dict[str, Any]:
        """The key of an item of this run's own."""
        return {"pk": {"S": self.partition}, "sk": {"S": name}}

    def put(self, name: str, **attributes: Any) -> float:
        """Write an item and return the write units."""
        item = self.key(name) | attributes
        reply = self.client.put_item(TableName=self.name, Item=item, ReturnConsumedCapacity="TOTAL")
        return _units(reply)

    def transact(self, token: str, *updates: Mapping[str, Any]) -> dict[str, Any]:
        """Send a transaction of updates."""
        reply: dict[str, Any] = self.client.transact_write_items(
            TransactItems=[{"Update": {"TableName": self.name, **update}} for update in updates],
            ClientRequestToken=token,
            ReturnConsumedCapacity="INDEXES",
        )
        return reply

    def query(self, **how: Any) -> dict[str, Any]:
        """Send a Query, by default for this run's own partition."""
        condition: dict[str, Any] = {
            "KeyConditionExpression": "pk = :key",
            "ExpressionAttributeValues": {":key": {"S": self.partition}},
            "ConsistentRead": True,
        }
        asked = {"TableName": self.name, "ReturnConsumedCapacity": "TOTAL", **(how or condition)}
        reply: dict[str, Any] = self.client.query(**asked)
        return reply

    def clear(self) -> int:
        """Delete this run's own items and return how many are left."""
        for item in self.query()["Items"]:
            self.client.delete_item(TableName=self.name, Key={name: item[name] for name in ("pk", "sk")})
        return len(self.query()["Items"])


def _units(reply: Mapping[str, Any]) -> float:
    consumed = reply.get("ConsumedCapacity") or []
    return float(sum(table["CapacityUnits"] for table in (consumed if isinstance(consumed, list) else [consumed])))


def _code(call: Callable[[], Any]) -> str:
    """The error code of a call; "" where it succeeds."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _counted(table: Table, name: str, *, only_if_new: bool = False) -> dict[str, Any]:
    """An update that adds 1 to an item's count."""
    condition = {"ConditionExpression": "attribute_not_exists(pk)"} if only_if_new else {}
    values = {":one": {"N": "1"}}
    return {"Key": table.key(name), "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": values, **condition}


def check_condition_first(table: Table) -> None:
    """A transaction's guard is what its caller hears, where the item does not exist."""
    unchanged = {
        "Key": table.key("missing"),
        "UpdateExpression": "SET n = if_not_exists(n, :none)",
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeValues": {":none": {"S": ""}},
    }
    seen = _code(lambda: table.client.update_item(TableName=table.name, **unchanged))
    table.checks.equal("an update of an item that does not exist fails by its condition", seen, _CONDITION_FAILED)


def check_tokens(table: Table) -> None:
    """A token makes a repeated transaction one, and a new one follows a cancellation."""
    token = str(uuid.uuid4())
    for _ in range(2):
        table.transact(token, _counted(table, "counted"))
    [item] = [item for item in table.query()["Items"] if item["sk"]["S"] == "counted"]
    table.checks.equal("a transaction that is sent twice with one token is one write", item["n"]["N"], "1")
    cancelled = str(uuid.uuid4())
    only_if_new = _counted(table, "counted", only_if_new=True)
    seen = _code(lambda: table.transact(cancelled, only_if_new))
    table.checks.equal("a transaction is cancelled by its condition", seen, _CANCELLED)
    table.client.delete_item(TableName=table.name, Key=table.key("counted"))
    if table.is_on_aws:
        repeated = _code(lambda: table.transact(cancelled, only_if_new))
        say(f"note the same token after the cancellation: {repeated or 'runs anew'} (Lockstep takes a new one)")
        table.client.delete_item(TableName=table.name, Key=table.key("counted"))
    seen = _code(lambda: table.transact(str(uuid.uuid4()), only_if_new))
    table.checks.equal("under a new token it runs once its condition holds", seen, "")


def check_statement(table: Table) -> None:
    """A statement sets attributes and removes others: AWS's grammar allows it, and shows no example."""
    table.put("stated", n={"N": "1"}, gone={"S": "x"})
    statement = f'UPDATE "{table.name}" SET "n"=? REMOVE "gone" WHERE pk=? AND sk=? AND "n"=?'  # noqa: S608  # the table's own name
    for old, new in (("1", "2"), ("2", "3")):
        values = [{"N": new}, {"S": table.partition}, {"S": "stated"}, {"N": old}]
        table.client.batch_execute_statement(Statements=[{"Statement": statement, "Parameters": values}])
    [item] = [item for item in table.query()["Items"] if item["sk"]["S"] == "stated"]
    seen = item["n"]["N"], "gone" in item
    table.checks.equal("a statement sets an attribute, and removes another if it is there", seen, ("3", False))


def check_conditions_of_statements(table: Table) -> None:
    """A statement's condition may ask for a missing attribute, or for one of several values."""
    table.put("asked", n={"N": "1"})
    for condition, compared, old, new in (
        ('"gone" IS MISSING AND "n"=?', ("1",), "1", "2"),
        ('"n" IN [?, ?]', ("2", "3"), "2", "3"),
        ('"n" IS MISSING', (), "3", "3"),
        ('"n" IN [?, ?]', ("1", "2"), "3", "3"),
    ):
        statement = f'UPDATE "{table.name}" SET "n"=? WHERE pk=? AND sk=? AND {condition}'  # noqa: S608  # as above
        values = [{"N": str(int(old) + 1)}, {"S": table.partition}, {"S": "asked"}, *({"N": each} for each in compared)]
        table.client.batch_execute_statement(Statements=[{"Statement": statement, "Parameters": values}])
        [item] = [item for item in table.query()["Items"] if item["sk"]["S"] == "asked"]
        table.checks.equal(f"a statement whose condition is {condition}: it finds {old}", item["n"]["N"], new)


def check_size_of_an_item(table: Table) -> None:
    """The rules by which a task instance stays within one unit."""
    room = 1_024 - item_size(table.key("sized") | {"n": {"N": "1700000000.123456"}, "text": {"S": ""}})
    for more, units in ((0, 1.0), (1, 2.0)):
        text = {"S": "x" * (room + more)}
        seen = table.put("sized", n={"N": "1700000000.123456"}, text=text)
        table.checks.equal(f"an item of {1_024 + more:,} bytes takes {units:g} write units", seen, units)


def check_units_of_an_index(table: Table) -> None:
    """An entry of an index in a transaction is billed once, the item twice."""
    entry = {
        "Key": table.key("indexed"),
        "UpdateExpression": "SET array_step = :step, array_step_id = :zero",
        "ExpressionAttributeValues": {":step": {"S": table.partition}, ":zero": {"N": "0"}},
    }
    consumed = (table.transact(str(uuid.uuid4()), entry).get("ConsumedCapacity") or [{}])[0]
    index = consumed.get("GlobalSecondaryIndexes", {}).get(ArrayStepIndex.Meta.index_name, {})
    seen = consumed.get("Table", {}).get("CapacityUnits"), index.get("CapacityUnits")
    table.checks.equal("a transaction that makes an index entry takes 2 write units and 1", seen, (2.0, 1.0))


def check_units_of_reads(table: Table) -> None:
    """A Query costs by the sum of what it reads, TransactGetItems by each item, a missing one included."""
    for number in range(4):
        table.put(f"read-{number}", text={"S": "x" * 1_400})
    condition = "pk = :key AND begins_with(sk, :read)"
    values = {":key": {"S": table.partition}, ":read": {"S": "read-"}}
    page = table.query(KeyConditionExpression=condition, ExpressionAttributeValues=values, ConsistentRead=True)
    table.checks.equal("a Query of 4 items of 1.5 kB takes 2 read units", _units(page), 2.0)
    wanted = [{"Get": {"TableName": table.name, "Key": table.key(name)}} for name in ("read-0", "none")]
    reply = table.client.transact_get_items(TransactItems=wanted, ReturnConsumedCapacity="TOTAL")
    table.checks.equal("TransactGetItems of an item and a missing one takes 4 read units", _units(reply), 4.0)


def check_moves_in_an_index(table: Table) -> None:
    """Measure how soon a query sees an entry that has just moved. Lockstep relies only on the end state."""
    seen: list[int] = []
    for number in range(_MOVES):
        table.put("moving", workflow_run_id={"N": table.run}, attention={"S": f"{number:03d}"})
        seen.append(len(_of_the_run(table)))
    counts = ", ".join(f"{times} times in {seen.count(times)}" for times in sorted(set(seen)))
    say(f"note of {_MOVES} queries right after a move, the entry was seen {counts} (Lockstep relies on no number)")
    time.sleep(2)  # the index lags by less than a second as a rule
    found = [item["attention"]["S"] for item in _of_the_run(table)]
    table.checks.equal("2 s after the last move the entry is seen once, where it is", found, [f"{_MOVES - 1:03d}"])


def _of_the_run(table: Table) -> Sequence[Mapping[str, Any]]:
    condition, values = "workflow_run_id = :run", {":run": {"N": table.run}}
    found: Sequence[Mapping[str, Any]] = table.query(
        IndexName=RunIndex.Meta.index_name, KeyConditionExpression=condition, ExpressionAttributeValues=values
    )["Items"]
    return found


ANYWHERE: Final[Sequence[Callable[[Table], None]]] = (
    check_condition_first,
    check_tokens,
    check_statement,
    check_conditions_of_statements,
)
"""Checks that an engine on this machine can tell too."""
ON_AWS: Final[Mapping[str, Callable[[Table], None]]] = {
    "how large an item is": check_size_of_an_item,
    "what an index entry in a transaction costs": check_units_of_an_index,
    "what a Query and TransactGetItems cost": check_units_of_reads,
    "how often a query sees an entry that moves": check_moves_in_an_index,
}
"""Checks that only an AWS account can tell."""


def check_table(client: Any, name: str, checks: Checks) -> None:
    """Make every check that this table can tell, and name the others.

    Raises:
        UsageError: the table cannot be reached, or the credentials do not suffice.
    """
    table = Table(client, name, checks)
    try:
        with checks.part(TITLE):
            _make_checks(table)
    except (BotoCoreError, ClientError) as error:
        raise UsageError(f"table {name}, partition {table.partition}: {error}") from error


def _make_checks(table: Table) -> None:
    say(f"Checking table {table.name} with items under {table.partition}")
    try:
        for check in ANYWHERE:
            check(table)
        for what, check in ON_AWS.items():
            if table.is_on_aws:
                check(table)
            else:
                say(f"skip {what}: {ONLY_AWS}")
    finally:
        left = table.clear()
    table.checks.equal("the items of these checks are deleted", left, 0)

"""`make events`: follow the moves in the running API's table, as the events that a deployment puts on EventBridge.

Standard output gets a line of JSON for each event; everything else goes to standard error. The table's stream is turned
on for this, unless it is on, and turned off again at the end. While it is on, the embedded engine keeps each change of
the last 24 hours in memory.
"""

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from local.engine import ENDPOINT_VARIABLE, client
from local.running import NotRunningError, use_running
from local.start import end_with
from lockstep.dynamodb.item import Item
from lockstep.observability import logger

BOTH_IMAGES: Final = "NEW_AND_OLD_IMAGES"
TELLS: Final = "tell_changes"
"""The function that makes events of records."""
BATCH: Final = 1000
PAUSE_SECONDS: Final = 0.25


class CannotFollowError(Exception):
    """The table's stream cannot be followed; the message says why in one line."""


class Stream:
    """A table's stream, from the moment at which it is followed."""

    def __init__(self, endpoint: str, arn: str, *, is_new: bool) -> None:
        """is_new: it was turned on to be followed, so all that it holds came since."""
        self._client = client(endpoint, "dynamodbstreams")
        self._arn = arn
        self._iterators: dict[str, str] = {}
        """Where to read on, by shard that is open."""
        self._known: set[str] = set()
        self._open_shards("TRIM_HORIZON" if is_new else "LATEST")

    def read(self) -> list[dict[str, Any]]:
        """The records since the last call, some thousand at most, as a pipe hands them on.

        Raises:
            CannotFollowError: the stream was turned off.
        """
        records = [record for shard in list(self._iterators) for record in self._of_shard(shard)]
        if not records and not self._iterators and not self._open_shards("TRIM_HORIZON"):
            raise CannotFollowError("somebody turned the table's stream off")
        return [json.loads(json.dumps(record, default=str)) for record in records]

    def _of_shard(self, shard: str) -> list[dict[str, Any]]:
        page = self._client.get_records(ShardIterator=self._iterators[shard], Limit=BATCH)
        if page.get("NextShardIterator"):
            self._iterators[shard] = page["NextShardIterator"]
        else:  # it is closed, and others have taken its place
            del self._iterators[shard]
            self._open_shards("TRIM_HORIZON")
        records: list[dict[str, Any]] = page["Records"]
        return records

    def _open_shards(self, position: str) -> bool:
        """Begin to read the shards that are not known. False: the stream is off, and gets no more of them."""
        goes_on = True
        for description in self._descriptions():
            goes_on &= description["StreamStatus"] not in {"DISABLING", "DISABLED"}
            for shard in description["Shards"]:
                self._open(shard["ShardId"], position)
        return goes_on

    def _open(self, shard: str, position: str) -> None:
        if shard in self._known:
            return
        self._known.add(shard)
        asked = {"StreamArn": self._arn, "ShardId": shard, "ShardIteratorType": position}
        self._iterators[shard] = self._client.get_shard_iterator(**asked)["ShardIterator"]

    def _descriptions(self) -> Iterator[dict[str, Any]]:
        asked = {"StreamArn": self._arn}
        while True:
            description: dict[str, Any] = self._client.describe_stream(**asked)["StreamDescription"]
            yield description
            if not description.get("LastEvaluatedShardId"):
                return
            asked["ExclusiveStartShardId"] = description["LastEvaluatedShardId"]


@contextmanager
def following(endpoint: str, table: str) -> Iterator[Stream]:
    """Provide a table's stream. If it was off, it is on for as long as the block runs.

    Raises:
        CannotFollowError: the stream is on and lacks what an event is made of.
    """
    dynamodb = client(endpoint)
    described = dynamodb.describe_table(TableName=table)["Table"]
    stands = described.get("StreamSpecification", {})
    if stands.get("StreamEnabled"):
        if stands["StreamViewType"] != BOTH_IMAGES:
            raise CannotFollowError(f"the table's stream holds {stands['StreamViewType']}, not {BOTH_IMAGES}")
        yield Stream(endpoint, described["LatestStreamArn"], is_new=False)
        return
    turned_on = {"StreamEnabled": True, "StreamViewType": BOTH_IMAGES}
    described = dynamodb.update_table(TableName=table, StreamSpecification=turned_on)["TableDescription"]
    try:
        dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        yield Stream(endpoint, described["LatestStreamArn"], is_new=True)
    finally:
        dynamodb.update_table(TableName=table, StreamSpecification={"StreamEnabled": False})


def follow(endpoint: str, table: str) -> None:
    """Print the events of a table until Ctrl-C."""
    from local.gateway import load_handler  # noqa: PLC0415  # importing it imports the functions, which read their settings

    _log_to_standard_error()
    tell: Any = load_handler(TELLS)
    with following(endpoint, table) as stream:
        print(f"following table {table} at {endpoint}. Ctrl-C ends it.", file=sys.stderr, flush=True)
        while True:
            records = stream.read()
            for event in tell(records, None) if records else ():
                print(json.dumps(event, ensure_ascii=False), flush=True)
            if not records:
                time.sleep(PAUSE_SECONDS)


def _log_to_standard_error() -> None:
    """Send the function's warnings, which name the records that it cannot read, to standard error."""
    assert isinstance(logger.registered_handler, logging.StreamHandler)
    logger.registered_handler.setStream(sys.stderr)
    logging.getLogger(logger.name).setLevel(logging.WARNING)


def main() -> None:
    """Follow the system on a port, or the DynamoDB that AWS_ENDPOINT_URL_DYNAMODB names."""
    parser = argparse.ArgumentParser(prog="make events", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="the port that the API runs on")
    options = parser.parse_args()
    try:
        use_running(options.port)
        follow(os.environ[ENDPOINT_VARIABLE], Item.Meta.table_name)
    except EndpointConnectionError as error:
        where = os.environ[ENDPOINT_VARIABLE]
        raise SystemExit(f"cannot follow: the DynamoDB at {where} does not answer; has `make run` ended?") from error
    except (BotoCoreError, ClientError, CannotFollowError, NotRunningError) as error:
        raise SystemExit(f"cannot follow: {error}") from error


if __name__ == "__main__":
    end_with(main)

"""What a call takes of DynamoDB."""

import json
from typing import Any

from local.meter import Meter
from tests.support.linking import Sends

Taken = tuple[int, float, float]
"""Requests, write units, read units."""


def taken(meter: Meter, player: Sends, method: str, path: str, body: Any = None) -> Taken:
    before = meter.usage()
    status, reply = player.send(method, f"/api/v3{path}", None if body is None else json.dumps(body))
    assert status == 200, reply
    after = meter.usage()
    requests, written, read = (
        after[name] - before[name] for name in ("dynamodb_requests", "write_units", "read_units")
    )
    return int(requests), written, read

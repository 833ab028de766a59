"""AWS's published limits, each with its page. A "quota" can be raised on request.

Prices stand in local/prices.py.
"""

from dataclasses import dataclass
from typing import Final

from local.template import Template


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit a second, unless its name says otherwise."""

    what: str
    amount: float
    source: str
    """A page of AWS's documentation, by its title."""
    raised: str = "no"
    """Whether and how it can be raised."""


_QUOTA: Final = "on request (a quota)"

PARTITION_WRITES: Final = Limit(
    "write units of one partition key",
    1_000,
    "DynamoDB: Best practices for designing and using partition keys effectively",
    "no; of a key with many items DynamoDB splits off parts over time, of a single item never",
)
PARTITION_READS: Final = Limit(
    "read units of one partition key", 3_000, PARTITION_WRITES.source, PARTITION_WRITES.raised
)
NEW_TABLE_WRITES: Final = Limit(
    "write units of a table that is new",
    4_000,
    "DynamoDB on-demand capacity mode: Initial throughput and scaling properties",
    "by use (twice the peak that was there 30 minutes ago), or as warm throughput, which is paid once",
)
NEW_TABLE_READS: Final = Limit(
    "read units of a table that is new", 12_000, NEW_TABLE_WRITES.source, NEW_TABLE_WRITES.raised
)
GROWTH: Final = 2
"""A table takes as many times the peak that it had GROWTH_SECONDS ago. Same page."""
GROWTH_SECONDS: Final = 30 * 60
TABLE_WRITES: Final = Limit(
    "write units of a table", 40_000, "Quotas in Amazon DynamoDB: Throughput default quotas", _QUOTA
)
TABLE_READS: Final = Limit("read units of a table", 40_000, TABLE_WRITES.source, _QUOTA)

CONCURRENCY: Final = Limit(
    "executions of Lambda at once",
    1_000,
    "Lambda quotas: Concurrent executions (a new account has fewer, until AWS raises it by itself)",
    _QUOTA,
)
SCALING: Final = Limit(
    "new environments of one function in 10 s",
    1_000,
    "Lambda scaling behavior: Concurrency scaling rate (refilled continuously, not saved up)",
)
SCALING_SECONDS: Final = 10
CALLS: Final = Limit(
    "calls of all functions",
    10 * CONCURRENCY.amount,
    "Understanding Lambda function scaling: ten requests a second for each of the account's concurrency",
    "with the concurrency",
)

_GATEWAY: Final = "Amazon API Gateway quotas: Throttle quota per account, per Region (2,500 and 1,250 in some)"
GATEWAY_RATE: Final = Limit("requests of API Gateway", 10_000, _GATEWAY, _QUOTA)
GATEWAY_BURST: Final = Limit("requests of API Gateway at once", 5_000, _GATEWAY, "by AWS, with the rate")


def _parameter(name: str) -> float:
    return float(Template().parameters[name]["Default"])


STAGE_RATE: Final = Limit("requests of the stage", _parameter("ThrottlingRate"), "template.yaml: ThrottlingRate", "yes")
STAGE_BURST: Final = Limit(
    "requests of the stage at once", _parameter("ThrottlingBurst"), "template.yaml: ThrottlingBurst", "yes"
)
LIMITS: Final = tuple(each for each in globals().values() if isinstance(each, Limit))

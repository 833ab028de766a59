"""Measures every step on an embedded engine of its own."""

from bench.scale.costs import Step
from bench.scale.life import Walk
from bench.scale.tap import Tap
from local.engine import dynamodb
from local.prices import BATCH
from lockstep.dynamodb.item import Item


def record(size: int = BATCH) -> list[Step]:
    """Each step as it is measured now, with a batch of that size."""
    with dynamodb(Item.Meta.table_name) as endpoint:
        return recorded_at(endpoint, size)


def recorded_at(endpoint: str, size: int) -> list[Step]:
    """As record, on a table that is there and that nobody writes meanwhile."""
    tap = Tap(endpoint)
    walk = Walk(tap, size)
    with tap.attached():
        walk.usual()
        walk.unusual()
    return walk.steps

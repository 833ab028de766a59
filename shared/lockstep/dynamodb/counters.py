"""Counters that give out ids."""

from lockstep.dynamodb import keys
from lockstep.dynamodb.client import reach
from lockstep.dynamodb.items import Counter


def allocate(kind: str, count: int) -> range:
    """Reserve `count` consecutive ids of a kind, in one write."""
    counter = Counter(keys.counter(kind), keys.COUNTER)
    reach(lambda: counter.update([Counter.last.add(count)]))
    last = counter.last
    return range(last - count + 1, last + 1)

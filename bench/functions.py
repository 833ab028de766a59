"""What functions take of a processor, from the start of a process and warm, as instructions."""

import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.counted.waterfall import CALIBRATED, REST
from bench.levers import LEVERS, Lever, layer_without
from bench.row import Row, Section
from bench.setting import TIMES, Bench

COLD_TARGET: Final = 1.35
WARM_TARGET: Final = 0.95
OUTSIDE_TARGET: Final = 500
"""Thousands of instructions."""
SUBJECT: Final = "log_done"
"""The function that the targets are set for; with output, it writes that too."""
TWO_UPDATES: Final = "log_done.empty"
"""The same with the two updates that the target for a warm one speaks of."""
THE_CALL: Final = ("build", "botocore", "sign", "send")
"""The stages of the DynamoDB call; all others are outside of it."""
_MILLION: Final = 1_000_000
_THOUSAND: Final = 1_000


class Counts:
    """The instructions of every function, and of the bare client."""

    def __init__(self, bench: Bench) -> None:
        calling = {name: calls for name, calls in bench.calls.items() if calls}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            soon_out_of_date = sorted(bench.calls, key=lambda name: len(bench.calls[name]), reverse=True)
            handlers = {name: pool.submit(bench.handler, name, bench.layer) for name in soon_out_of_date}
            raw = pool.submit(bench.raw, calling)
        self.bare, *stretches = raw.result()
        """A process that imports botocore and makes a DynamoDB client."""
        self.raw = dict(zip(calling, stretches[1::2], strict=True))
        """The raw calls of each function that makes any, TIMES times."""
        self.cold = {name: handlers[name].result()[0] for name in bench.calls}
        """From the start of the process to the first reply."""
        self.warm = {name: handlers[name].result()[2] for name in bench.calls}
        """TIMES events."""


def cold(counts: Counts) -> Section:
    """Cold starts."""
    rows = [
        Row(
            f"{name}: start to first reply",
            f"{count / counts.bare:.2f} ({count / _MILLION:,.0f} MIr)",
            *_target(name, count / counts.bare, COLD_TARGET),
        )
        for name, count in counts.cold.items()
    ]
    said = (
        "Instructions from the start of a process to the first reply, with the TLS handshake and the first request to"
        " AWS, relative to a process that imports botocore and makes a DynamoDB client, and asks nothing"
        f" ({counts.bare / _MILLION:,.0f} MIr)."
    )
    return Section("Cold start", said, rows)


def warm(counts: Counts) -> Section:
    """One more event."""
    rows = [_warm_row(name, count / TIMES, counts) for name, count in counts.warm.items()]
    said = (
        "Instructions for one more event, relative to botocore's own calls, with its default settings, that ask AWS for"
        " the same; both over TLS to an AWS that answers at once what was recorded. A function that asks nothing has no"
        " ratio."
    )
    return Section("Warm", said, rows)


def _warm_row(name: str, count: float, counts: Counts) -> Row:
    took = f"{count / _THOUSAND:,.0f} kIr"
    if name not in counts.raw or name == "authorizer":  # which keeps what it has read
        return Row(f"{name}: one more event", took)
    raw = counts.raw[name] / TIMES
    ratio = count / raw
    result = f"{ratio:.2f} ({took} / {raw / _THOUSAND:,.0f})"
    return Row(f"{name}: one more event", result, *_target(name, ratio, WARM_TARGET))


def _target(name: str, ratio: float, most: float) -> tuple[str, bool | None]:
    return (f"≤ {most}", ratio <= most) if name in {SUBJECT, TWO_UPDATES} else ("", None)


def waterfall(bench: Bench) -> Section:
    """Where a warm log_done's instructions go."""
    totals, stages = bench.waterfall(SUBJECT)
    spent, passed = _by_stage(totals[1:], stages)
    mark = spent.pop("a mark") / CALIBRATED
    kilo = {stage: (count - passed[stage] * mark / 2) / TIMES / _THOUSAND for stage, count in spent.items()}
    outside = sum(count for stage, count in kilo.items() if stage not in THE_CALL)
    rows = [Row(f"{SUBJECT}: {stage}", f"{kilo[stage]:,.0f} kIr") for stage in _in_order(kilo)]
    target = f"≤ {OUTSIDE_TARGET} kIr"
    rows.append(Row(f"{SUBJECT}: all outside the call", f"{outside:,.0f} kIr", target, outside <= OUTSIDE_TARGET))
    said = (
        "The same event, by the stage that is under way: parse (path, body, what the log needs), validate (the rules),"
        " the call (build the conditions and changes; botocore serializes and reads; sign; send over TLS), log, metrics"
        " and reply. What the marks between stages take is taken off."
    )
    return Section("Waterfall", said, rows)


def _by_stage(totals: Sequence[int], stages: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """Instructions, and stretches, of each stage."""
    spent: Counter[str] = Counter()
    for total, stage in zip(totals, stages, strict=True):
        spent[stage] += total
    return spent, Counter(stages)


def _in_order(stages: dict[str, float]) -> list[str]:
    order = ("parse", "validate", *THE_CALL, "log", "metrics", "reply", REST)
    assert set(order) == set(stages), stages
    return list(order)


def levers(bench: Bench, counts: Counts) -> Section:
    """What each lever is worth to log_done."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda lever: _without(bench, lever), LEVERS))
    rows = [
        Row(
            f"{SUBJECT} without: {lever.name}",
            f"cold {start / counts.cold[SUBJECT]:.2f}, warm {again / counts.warm[SUBJECT]:.2f}",
        )
        for lever, (start, again) in zip(LEVERS, found, strict=True)
    ]
    said = "The same function in a layer that is without one of them, relative to the layer as it is deployed."
    return Section("Levers", said, rows)


def _without(bench: Bench, lever: Lever) -> tuple[int, int]:
    layer = layer_without(lever, bench.layer, bench.folder(lever.name))
    trusting = bench.trusting(layer) if isinstance(lever.without, str) else layer
    start, _, again = bench.handler(SUBJECT, trusting)
    return start, again

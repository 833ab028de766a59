"""Count the instructions of each function, from the start of a process and warm."""

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
"""The target for instructions outside the DynamoDB call, in thousands."""
SUBJECT: Final = "log_done"
"""The event that the targets apply to. It carries output, which takes a third write."""
TWO_UPDATES: Final = "log_done.empty"
"""A log_done without output, which takes two updates. The target for a warm function is stated for these."""
THE_CALL: Final = ("build", "botocore", "sign", "send")
"""The stages of the DynamoDB call; all other stages are outside of it."""
_MILLION: Final = 1_000_000
_THOUSAND: Final = 1_000


class Counts:
    """The instructions of every function and of the bare client."""

    def __init__(self, bench: Bench) -> None:
        calling = {name: calls for name, calls in bench.calls.items() if calls}
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            longest_first = sorted(bench.calls, key=lambda name: len(bench.calls[name]), reverse=True)
            handlers = {name: pool.submit(bench.handler, name, bench.layer) for name in longest_first}
            raw = pool.submit(bench.raw, calling)
        self.bare, *stretches = raw.result()
        """The instructions of a process that imports botocore and makes a DynamoDB client."""
        self.raw = dict(zip(calling, stretches[1::2], strict=True))
        """The bare client's instructions for the calls of each function that makes any, TIMES times."""
        self.cold = {name: handlers[name].result()[0] for name in bench.calls}
        """Each function's instructions from the start of the process to the first reply."""
        self.warm = {name: handlers[name].result()[2] for name in bench.calls}
        """Each function's instructions for TIMES events."""


def cold(counts: Counts) -> Section:
    """Compare cold starts with the bare client."""
    rows = [
        Row(
            f"{name}: start to first reply",
            f"{count / counts.bare:.2f} ({count / _MILLION:,.0f} MIr)",
            *_target(name, count / counts.bare, COLD_TARGET),
        )
        for name, count in counts.cold.items()
    ]
    text = (
        "Instructions from the start of a process to the first reply, with the TLS handshake and the first request to"
        " AWS, relative to a process that imports botocore, makes a DynamoDB client and sends nothing"
        f" ({counts.bare / _MILLION:,.0f} MIr)."
    )
    return Section("Cold start", text, rows)


def warm(counts: Counts) -> Section:
    """Compare one more event in a warm function with the bare client's calls."""
    rows = [_warm_row(name, count / TIMES, counts) for name, count in counts.warm.items()]
    text = (
        "Instructions for one more event, relative to the same AWS calls by botocore with its default settings. Both go"
        " over TLS to a substitute for AWS that answers at once with recorded replies. A function that calls nothing"
        " has no ratio."
    )
    return Section("Warm", text, rows)


def _warm_row(name: str, count: float, counts: Counts) -> Row:
    took = f"{count / _THOUSAND:,.0f} kIr"
    if name not in counts.raw or name == "authorizer":  # a warm authorizer calls nothing: it caches the keys
        return Row(f"{name}: one more event", took)
    raw = counts.raw[name] / TIMES
    ratio = count / raw
    result = f"{ratio:.2f} ({took} / {raw / _THOUSAND:,.0f})"
    return Row(f"{name}: one more event", result, *_target(name, ratio, WARM_TARGET))


def _target(name: str, ratio: float, most: float) -> tuple[str, bool | None]:
    return (f"≤ {most}", ratio <= most) if name in {SUBJECT, TWO_UPDATES} else ("", None)


def waterfall(bench: Bench) -> Section:
    """Divide a warm log_done's instructions among its stages."""
    totals, stages = bench.waterfall(SUBJECT)
    spent, passed = _by_stage(totals[1:], stages)
    mark = spent.pop("a mark") / CALIBRATED
    kilo = {stage: (count - passed[stage] * mark / 2) / TIMES / _THOUSAND for stage, count in spent.items()}
    outside = sum(count for stage, count in kilo.items() if stage not in THE_CALL)
    rows = [Row(f"{SUBJECT}: {stage}", f"{kilo[stage]:,.0f} kIr") for stage in _in_order(kilo)]
    target = f"≤ {OUTSIDE_TARGET} kIr"
    rows.append(Row(f"{SUBJECT}: all outside the call", f"{outside:,.0f} kIr", target, outside <= OUTSIDE_TARGET))
    text = (
        "The same event by stage: parse (path, body, the log's fields), validate (the rules), the call (build the"
        " conditions and changes; botocore serializes and parses; sign; send over TLS), log, metrics and reply. The"
        " cost of the marks between stages is subtracted."
    )
    return Section("Waterfall", text, rows)


def _by_stage(totals: Sequence[int], stages: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """Return the instructions and the number of stretches of each stage."""
    spent: Counter[str] = Counter()
    for total, stage in zip(totals, stages, strict=True):
        spent[stage] += total
    return spent, Counter(stages)


def _in_order(stages: dict[str, float]) -> list[str]:
    order = ("parse", "validate", *THE_CALL, "log", "metrics", "reply", REST)
    assert set(order) == set(stages), stages
    return list(order)


def levers(bench: Bench, counts: Counts) -> Section:
    """Measure log_done without each lever."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(lambda lever: _without(bench, lever), LEVERS))
    rows = [
        Row(
            f"{SUBJECT} without: {lever.name}",
            f"cold {start / counts.cold[SUBJECT]:.2f}, warm {again / counts.warm[SUBJECT]:.2f}",
        )
        for lever, (start, again) in zip(LEVERS, found, strict=True)
    ]
    text = "The same function in a layer without one of these optimizations, relative to the deployed layer."
    return Section("Levers", text, rows)


def _without(bench: Bench, lever: Lever) -> tuple[int, int]:
    layer = layer_without(lever, bench.layer, bench.folder(lever.name))
    trusting = bench.trusting(layer) if isinstance(lever.without, str) else layer
    start, _, again = bench.handler(SUBJECT, trusting)
    return start, again

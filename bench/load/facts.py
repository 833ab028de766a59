"""Measurements as lines of the benchmark's table."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from bench.load.load import Found, Kind
from bench.load.measured import Measured
from bench.row import Row

_DONE: Final = {Kind.LIVES: "instances DONE at the end", Kind.LOOKUPS: "instances found"}


def facts(name: str, kind: Kind, measured: Measured) -> list[Row]:
    """Say all that is known of a load."""
    return [replace(row, what=f"{name}: {row.what}") for row in _facts(kind, measured)]


def _facts(kind: Kind, measured: Measured) -> Iterator[Row]:
    found, cost, verdict = measured
    yield Row("requests/s", f"{found.per_second:.0f}")
    yield Row("p50, ms", f"{found.percentile(50):.1f}")
    yield Row("p99, ms", f"{found.percentile(99):.1f}")
    server = engine = "not available: no /proc"
    if cost:
        server = _per_request(cost.server, found)
        engine = "in the server" if cost.engine is None else _per_request(cost.engine, found)
    yield Row("processor of the server, ms/request", server)
    yield Row("processor of the engine, ms/request", engine)
    number = sum(found.not_ok.values())
    which = ", ".join(f"{outcome}: {times}" for outcome, times in sorted(found.not_ok.items()))
    shown = f"{number} of {found.requests:,}" + (f" ({which})" if which else "")
    yield exactly("replies that were not 200", number, 0, shown)
    if kind in _DONE:
        yield Row(_DONE[kind], f"{found.done:,}")
    if verdict:
        several, disagreeing = verdict.several_winners, verdict.disagreeing
        yield exactly("rounds with more than one winner", several, 0, f"{several} of {verdict.rounds}")
        what = "rounds after which task and instance disagree"
        yield exactly(what, disagreeing, 0, f"{disagreeing} of {verdict.rounds}")


def _per_request(seconds: float, found: Found) -> str:
    return f"{1000 * seconds / found.requests:.2f}"


def exactly(what: str, value: int, target: int, shown: str = "") -> Row:
    """Make a row of a count that is met when it is its target."""
    return Row(what, shown or f"{value:,}", f"{target:,}", value == target)


def rows(ours: list[Row], peers: Mapping[str, list[Row] | str]) -> list[Row]:
    """Put beside each of our rows the peers' result, or why there is none."""
    results = {
        peer: theirs if isinstance(theirs, str) else {row.what: row.result for row in theirs}
        for peer, theirs in peers.items()
    }
    return [
        replace(
            row,
            peers={peer: theirs if isinstance(theirs, str) else theirs[row.what] for peer, theirs in results.items()},
        )
        for row in ours
    ]

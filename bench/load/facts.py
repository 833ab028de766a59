"""Measurements as lines of the benchmark's table."""

from collections.abc import Mapping
from dataclasses import replace

from bench.load.load import Found, Kind
from bench.load.measured import Measured, Verdict
from bench.row import Row


def facts(name: str, kind: Kind, measured: Measured) -> list[Row]:
    """All that is said of a load."""
    of_all = [*_speed(measured.found), *_cost(measured), _not_ok(measured.found)]
    if kind in {Kind.LIVES, Kind.LOOKUPS}:
        of_all.append(_done(kind, measured.found))
    if measured.verdict:
        of_all += _verdict(measured.verdict)
    return [replace(row, what=f"{name}: {row.what}") for row in of_all]


def rows(ours: list[Row], peers: Mapping[str, list[Row] | str]) -> list[Row]:
    """Ours, each with the peers' result beside it, or why there is none."""
    by_name = {
        peer: theirs if isinstance(theirs, str) else {row.what: row.result for row in theirs}
        for peer, theirs in peers.items()
    }
    return [
        replace(
            row,
            peers={peer: theirs if isinstance(theirs, str) else theirs[row.what] for peer, theirs in by_name.items()},
        )
        for row in ours
    ]


def exactly(what: str, value: int, target: int, shown: str = "") -> Row:
    """A count that is met when it is its target."""
    return Row(what, shown or f"{value:,}", f"{target:,}", value == target)


def _speed(found: Found) -> list[Row]:
    return [
        Row("requests/s", f"{found.per_second:.0f}"),
        Row("p50, ms", f"{found.percentile(50):.1f}"),
        Row("p99, ms", f"{found.percentile(99):.1f}"),
    ]


def _cost(measured: Measured) -> list[Row]:
    server, engine = "not available: no /proc", "not available: no /proc"
    if measured.cost:
        server = _per_request(measured.cost.server, measured.found)
        engine = "in the server" if measured.cost.engine is None else _per_request(measured.cost.engine, measured.found)
    return [Row("processor of the server, ms/request", server), Row("processor of the engine, ms/request", engine)]


def _per_request(seconds: float, found: Found) -> str:
    return f"{1000 * seconds / found.requests:.2f}"


def _not_ok(found: Found) -> Row:
    number = sum(found.not_ok.values())
    which = ", ".join(f"{outcome}: {times}" for outcome, times in sorted(found.not_ok.items()))
    return exactly(
        "replies that were not 200", number, 0, f"{number} of {found.requests:,}" + (f" ({which})" if which else "")
    )


def _done(kind: Kind, found: Found) -> Row:
    return Row("instances DONE at the end" if kind is Kind.LIVES else "instances found", f"{found.done:,}")


def _verdict(verdict: Verdict) -> list[Row]:
    of_all = f"of {verdict.rounds}"
    return [
        exactly("rounds with more than one winner", verdict.several_winners, 0, f"{verdict.several_winners} {of_all}"),
        exactly(
            "rounds after which task and instance disagree", verdict.disagreeing, 0, f"{verdict.disagreeing} {of_all}"
        ),
    ]

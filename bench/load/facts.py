"""Measurements as lines of the benchmark's table."""

from collections.abc import Mapping
from dataclasses import dataclass

from bench.load.load import Found, Kind
from bench.load.measured import Measured, Verdict
from bench.row import Row

NO_TARGET = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of one load on one system."""

    what: str
    value: str
    target: str = NO_TARGET
    met: bool | None = None


def facts(name: str, kind: Kind, measured: Measured) -> list[Fact]:
    """All that is said of a load."""
    of_all = [*_speed(measured.found), *_cost(measured), _not_ok(measured.found)]
    if kind in {Kind.LIVES, Kind.LOOKUPS}:
        of_all.append(_done(kind, measured.found))
    if measured.verdict:
        of_all += _verdict(measured.verdict)
    return [Fact(f"{name}: {fact.what}", fact.value, fact.target, fact.met) for fact in of_all]


def rows(ours: list[Fact], peers: Mapping[str, list[Fact] | str]) -> list[Row]:
    """A row for each of our facts, with each peer's beside it, or why there is none."""
    by_name = {
        peer: theirs if isinstance(theirs, str) else {fact.what: fact.value for fact in theirs}
        for peer, theirs in peers.items()
    }
    return [
        Row(
            fact.what,
            fact.value,
            fact.target,
            fact.met,
            {peer: theirs if isinstance(theirs, str) else theirs[fact.what] for peer, theirs in by_name.items()},
        )
        for fact in ours
    ]


def exactly(what: str, value: int, target: int, shown: str = "") -> Fact:
    """A count that is met when it is its target."""
    return Fact(what, shown or f"{value:,}", f"{target:,}", value == target)


def _speed(found: Found) -> list[Fact]:
    return [
        Fact("requests/s", f"{found.per_second:.0f}"),
        Fact("p50, ms", f"{found.percentile(50):.1f}"),
        Fact("p99, ms", f"{found.percentile(99):.1f}"),
    ]


def _cost(measured: Measured) -> list[Fact]:
    server, engine = "not available: no /proc", "not available: no /proc"
    if measured.cost:
        server = _per_request(measured.cost.server, measured.found)
        engine = "in the server" if measured.cost.engine is None else _per_request(measured.cost.engine, measured.found)
    return [Fact("processor of the server, ms/request", server), Fact("processor of the engine, ms/request", engine)]


def _per_request(seconds: float, found: Found) -> str:
    return f"{1000 * seconds / found.requests:.2f}"


def _not_ok(found: Found) -> Fact:
    number = sum(found.not_ok.values())
    which = ", ".join(f"{outcome}: {times}" for outcome, times in sorted(found.not_ok.items()))
    return exactly(
        "replies that were not 200", number, 0, f"{number} of {found.requests:,}" + (f" ({which})" if which else "")
    )


def _done(kind: Kind, found: Found) -> Fact:
    return Fact("instances DONE at the end" if kind is Kind.LIVES else "instances found", f"{found.done:,}")


def _verdict(verdict: Verdict) -> list[Fact]:
    of_all = f"of {verdict.rounds}"
    return [
        exactly("rounds with more than one winner", verdict.several_winners, 0, f"{verdict.several_winners} {of_all}"),
        exactly(
            "rounds after which task and instance disagree", verdict.disagreeing, 0, f"{verdict.disagreeing} {of_all}"
        ),
    ]

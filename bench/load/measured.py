"""The measurements of one load on one server: requests, processor time and, after contention, a verdict."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bench.load.generating import Cost
from bench.load.load import Found, pooled
from bench.load.reports import RUNNING, TASK_OF
from bench.load.server import Pair


class Verdict(NamedTuple):
    """The verdict on rounds of contention."""

    rounds: int
    several_winners: int
    """Rounds with more than one outcome that a reporter was told to stand, or that stands at the end."""
    disagreeing: int
    """Rounds after which the task's status does not fit its instance's."""


class Measured(NamedTuple):
    """One load on one server, carried out once or several times."""

    found: Found
    cost: Cost | None
    """None: the machine does not tell."""
    verdict: Verdict | None = None


def judge(acknowledged: Sequence[Sequence[str]], pairs: Mapping[int, Pair]) -> Verdict:
    """Judge instances, in the order in which they were contended for."""
    several = [{*told, instance} - {RUNNING} for told, (instance, _) in zip(acknowledged, pairs.values(), strict=True)]
    return Verdict(
        len(pairs),
        sum(len(outcomes) > 1 for outcomes in several),
        sum(TASK_OF.get(instance) != task for instance, task in pairs.values()),
    )


def together(several: Sequence[Measured]) -> Measured:
    """Make one of the same load carried out several times."""
    costs = [each.cost for each in several if each.cost]
    engines = [cost.engine for cost in costs if cost.engine is not None]
    verdicts = [each.verdict for each in several if each.verdict]
    return Measured(
        pooled([each.found for each in several]),
        Cost(sum(cost.server for cost in costs), sum(engines) if engines else None) if costs else None,
        Verdict(*map(sum, zip(*verdicts, strict=True))) if verdicts else None,
    )

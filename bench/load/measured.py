"""What a load came to on a system: in requests, in processor time and, after contention, in truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.load.generating import Cost
from bench.load.load import Found, pooled
from bench.load.reports import RUNNING, TASK_OF
from bench.load.system import Pair


@dataclass(frozen=True, slots=True)
class Verdict:
    """On rounds of contention."""

    rounds: int
    several_winners: int
    """Rounds with more than one outcome of which a reporter was told that it stands, or which stands at the end."""
    disagreeing: int
    """Rounds after which the task is not where its instance's status puts it."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One load on one system, carried out once or several times."""

    found: Found
    cost: Cost | None
    """None: the machine does not tell."""
    verdict: Verdict | None = None


def judge(acknowledged: Sequence[Sequence[str]], pairs: Mapping[int, Pair]) -> Verdict:
    """The verdict on instances, in the order in which they were contended for."""
    several = [{*told, instance} - {RUNNING} for told, (instance, _) in zip(acknowledged, pairs.values(), strict=True)]
    return Verdict(
        len(pairs),
        sum(len(outcomes) > 1 for outcomes in several),
        sum(TASK_OF.get(instance) != task for instance, task in pairs.values()),
    )


def together(several: Sequence[Measured]) -> Measured:
    """The same load carried out several times, as one."""
    costs = [each.cost for each in several if each.cost]
    engines = [cost.engine for cost in costs if cost.engine is not None]
    verdicts = [each.verdict for each in several if each.verdict]
    return Measured(
        pooled([each.found for each in several]),
        Cost(sum(cost.server for cost in costs), sum(engines) if engines else None) if costs else None,
        Verdict(
            sum(each.rounds for each in verdicts),
            sum(each.several_winners for each in verdicts),
            sum(each.disagreeing for each in verdicts),
        )
        if verdicts
        else None,
    )

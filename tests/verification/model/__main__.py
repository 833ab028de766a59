"""`make model`: the walk, as long as one likes, and what it met."""

import argparse
import time
from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, settings

from lockstep.fsm.transitions import TASK_MOVES, UNTIMELY, VALID
from lockstep.fsm.workflow_run import DONE_AFTER_ALL, RUN_MOVES, TAKEN_OVER
from tests.verification.model.machine import Machine, walk
from tests.verification.model.mistakes import OTHERS, QUICK, made
from tests.verification.model.rules.walker import ABOUT_RUN, ABOUT_WORKFLOW
from tests.verification.model.tally import Tally

LONG = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)


def main() -> None:
    """Walks rounds of examples, each with a seed of its own, until the time is up or something differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.verification.model", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first round's; the next is one more")
    parser.add_argument("--mistakes", action="store_true", help="rather see how soon each deliberate mistake is found")
    options = parser.parse_args()
    if options.mistakes:
        find_mistakes(options.seed)
        return
    met, until, number = Tally(), time.monotonic() + 60 * options.minutes, options.seed
    while time.monotonic() < until:
        print(f"seed {number}: {met.examples} examples so far", flush=True)
        met.add(walk(LONG, number))
        number += 1
    print(*report(met, processor=time.process_time()), sep="\n")
    print(f"No difference from the model in {met.examples} examples.")


def find_mistakes(number: int) -> None:
    """Each is walked into until it is found."""
    for name, mistake in (QUICK | OTHERS).items():
        began = time.process_time()
        try:
            with made(mistake):
                walk(settings(LONG, phases=[Phase.generate]), number)
        except AssertionError:
            found = f"found in example {Machine.tally.examples - 1}"  # hypothesis runs the one that failed once more
        else:
            found = "NOT FOUND"
        print(f"{name:40}{found}, {time.process_time() - began:.0f} s", flush=True)


def report(tally: Tally, processor: float) -> Iterator[str]:
    """What was walked, in lines."""
    yield (
        f"{tally.examples} examples, {sum(tally.rules.values())} steps, {sum(tally.requests.values())} requests, "
        f"{tally.compared} items compared, {processor:.0f} s of the processor"
    )
    about_workflows = sum(situation[0] in ABOUT_RUN | ABOUT_WORKFLOW for situation in tally.situations)
    others = len(tally.situations) - about_workflows
    yield f"{others} situations (report, error state, instance, task, attempts left, overdue)"
    yield f"{about_workflows} situations of workflows (request, asked for, run, workflow, tasks bound, client late)"
    yield f"runs at the end: {dict(tally.runs.most_common())}"
    yield f"{tally.followed} polls after which a client knew of every change"
    yield f"{tally.later} overdue instances left to a later sweep"
    yield f"tasks by attempts: {dict(sorted(tally.attempts.items()))}"
    yield f"steps by rule: {dict(tally.rules.most_common())}"
    yield "requests by route, and those that moved something:"
    yield from (f"  {route:32}{n:8}{tally.moving[route]:8}" for route, n in tally.requests.most_common())
    moves = (*RUN_MOVES, *DONE_AFTER_ALL, *TAKEN_OVER)
    for kind, edges in {"instance": VALID, "untimely": UNTIMELY, "task": TASK_MOVES, "run": moves}.items():
        walked = {f"{source}→{target}": tally.edges[kind, source + target] for source, target, _ in edges}
        yield f"{kind}: {sum(map(bool, walked.values()))} of {len(walked)} edges: {walked}"


if __name__ == "__main__":
    main()

"""Check the runs: a workflow points to each, and the one that goes on holds its workflow and stands as it does."""

import re
from collections.abc import Iterator
from typing import Final

from lockstep.array.item import EARLIER_RUNS, due_key
from lockstep.dynamodb.parallel import chunks
from lockstep.dynamodb.reads import KEYS_PER_READ
from lockstep.fsm.statuses import WorkflowRunStatus
from lockstep.fsm.workflow_run import RUN_ENDED, RUN_MOVES, TAKEN_OVER, followed_by
from lockstep.workflow.item import RunOfWorkflow, Workflow
from lockstep.workflow_run.item import WorkflowRun
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed
from ops.audit.reader import Reads, read_model, read_models
from ops.audit.seen import Seen
from ops.audit.seen_workflows import SeenRun, SeenWorkflow, SeenWorkflows


def _stands_with() -> dict[str, frozenset[str]]:
    stands: dict[str, set[str]] = {}
    for run in WorkflowRunStatus:
        from_where = [edge.source for edge in (*RUN_MOVES, *TAKEN_OVER) if edge.target is run]
        follows = [followed_by(each) for each in ([run] if followed_by(run) else from_where)]
        stands[str(run)] = {str(follow.workflow) for follow in follows if follow}
    return {run: frozenset(workflows) for run, workflows in stands.items()}


STANDS_WITH: Final = _stands_with()
"""How a workflow may stand whose run is in a status. One that ends for a resume leaves it where it was."""


_LOOKS_AFTER_EARLIER_RUNS: Final = re.compile(rf"{EARLIER_RUNS}([0-9]{{14}})?")


def check_item(parsed: Parsed, reads: Reads) -> Iterator[Finding]:
    """What an item of a run or of a workflow tells by itself, and the pointer that leads to the run."""
    item, ids = parsed
    match item:
        case WorkflowRun():
            yield from _attention(item, ids[0])
            if SeenRun.of(item).linked:
                yield from _listed(item.workflow_id, ids[0], reads)
        case Workflow() if item.workflow_run_id:
            yield from _listed(ids[0], item.workflow_run_id, reads)
        case RunOfWorkflow():
            run = read_model(WorkflowRun, WorkflowRun.key(ids[1]), reads)
            if run is None or run.workflow_id != ids[0]:
                got = f"run {ids[1]}, which is " + (f"of workflow {run.workflow_id}" if run else "not there")
                yield Finding("run-pointer", f"a pointer of workflow {ids[0]}", got, "a run of it")


def _attention(run: WorkflowRun, run_id: int) -> Iterator[Finding]:
    """A run is in the run index while it looks after what earlier runs left, under its own id."""
    attention: str | None = run.attention
    of_run: int | None = run.workflow_run_id
    if attention is None and of_run is None:
        return
    if of_run != run_id or not _LOOKS_AFTER_EARLIER_RUNS.fullmatch(attention or ""):
        got = f"{attention} of run {of_run}"
        must = f"none, or {EARLIER_RUNS} or {due_key(EARLIER_RUNS, 0)} of run {run_id}"
        yield Finding("run-attention", in_words(run), got, must)


def _listed(workflow_id: int, run_id: int, reads: Reads) -> Iterator[Finding]:
    """A run and its pointer are written together, and neither is ever taken back."""
    if not reads.items([RunOfWorkflow.key(workflow_id, run_id)]):
        yield Finding("run-pointer", f"run {run_id}", "in no list", f"in the list of workflow {workflow_id}")


def check(seen: Seen, reads: Reads) -> Iterator[Finding]:
    """The broken invariants between runs and the workflows that they hold. Each suspect is read again."""
    for pairs in chunks(dict.fromkeys(_unlike_holders(seen.of_workflows)), KEYS_PER_READ):
        yield from _check_again(pairs, reads)


Pair = tuple[int, int]
"""A workflow, and a run that holds it or should."""


def _unlike_holders(of_workflows: SeenWorkflows) -> Iterator[Pair]:
    for run_id, run in of_workflows.runs.items():
        pair = run.workflow_id, run_id
        if _not_held(pair, run, of_workflows.workflows.get(run.workflow_id)):
            yield pair
    for workflow_id, workflow in of_workflows.workflows.items():
        held_by = workflow.workflow_run_id
        if held_by and _wrong_holder((workflow_id, held_by), of_workflows.runs.get(held_by)):
            yield workflow_id, held_by


def _check_again(pairs: list[Pair], reads: Reads) -> Iterator[Finding]:
    """What contradicts itself though it stood still: a run and its workflow move together, but are read in turn."""
    workflows, runs = _read_workflows(pairs, reads), _read_runs(pairs, reads)
    workflows_after, runs_after = _read_workflows(pairs, reads), _read_runs(pairs, reads)
    for pair in pairs:
        workflow, run = workflows_after.get(pair[0]), runs.get(pair[1])
        if run and run == runs_after.get(pair[1]):
            yield from _not_held(pair, run, workflow)
        before = workflows.get(pair[0])
        if before and workflow and before.workflow_run_id == workflow.workflow_run_id == pair[1]:
            yield from _wrong_holder(pair, run)


def _read_workflows(pairs: list[Pair], reads: Reads) -> dict[int, SeenWorkflow]:
    found = read_models(Workflow, (Workflow.key(workflow_id) for workflow_id, _ in pairs), reads)
    return {each: SeenWorkflow.of(found[Workflow.key(each)]) for each, _ in pairs if Workflow.key(each) in found}


def _read_runs(pairs: list[Pair], reads: Reads) -> dict[int, SeenRun]:
    found = read_models(WorkflowRun, (WorkflowRun.key(run_id) for _, run_id in pairs), reads)
    return {each: SeenRun.of(found[WorkflowRun.key(each)]) for _, each in pairs if WorkflowRun.key(each) in found}


def _not_held(pair: Pair, run: SeenRun, workflow: SeenWorkflow | None) -> list[Finding]:
    """A run that goes on holds its workflow, whose tasks are all bound, and which stands as the run does."""
    workflow_id, run_id = pair
    if run.workflow_id != workflow_id or run.status in RUN_ENDED or not run.linked:
        return []
    about = f"run {run_id}, {run.status}"
    if workflow is None or workflow.workflow_run_id != run_id:
        held_by = f"held by {workflow.workflow_run_id or 'nobody'}" if workflow else "not there"
        return [Finding("holder", about, f"of workflow {workflow_id}, {held_by}", "of one that it holds: it goes on")]
    findings: list[Finding] = []
    if not workflow.bound:
        got = f"of workflow {workflow_id}, of which not all tasks are bound"
        findings.append(Finding("holder", about, got, "of one that is bound"))
    if workflow.status not in STANDS_WITH.get(run.status, ()):
        must = " or ".join(sorted(STANDS_WITH.get(run.status, ()))) or "no workflow's"
        got = f"of workflow {workflow_id}, {workflow.status}"
        findings.append(Finding("standing", about, got, f"of one in {must}"))
    return findings


def _wrong_holder(pair: Pair, run: SeenRun | None) -> list[Finding]:
    """The run that holds a workflow is one of its runs, and has not ended: they end together."""
    workflow_id, run_id = pair
    if run and run.workflow_id == workflow_id and run.status not in RUN_ENDED:
        return []
    got = f"run {run_id}, " + (f"{run.status} of workflow {run.workflow_id}" if run else "which is not there")
    return [Finding("holder", f"workflow {workflow_id}", f"held by {got}", "a run of it that has not ended")]

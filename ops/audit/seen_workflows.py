"""What the audit keeps of workflows and their runs while it reads: under 1 kB of each, whatever tasks it has."""

from dataclasses import dataclass, field
from typing import NamedTuple

from lockstep.dynamodb.item import Key
from lockstep.workflow.item import (
    RunOfWorkflow,
    Workflow,
    WorkflowAttribute,
    WorkflowLookup,
    WorkflowSpec,
)
from lockstep.workflow_run.item import WorkflowRun
from ops.audit.ids import IdMap, fingerprint
from ops.audit.invariants.finding import Finding, in_words
from ops.audit.invariants.parsing import Parsed


class SeenWorkflow(NamedTuple):
    """What moves of a workflow."""

    status: str
    workflow_run_id: int | None
    bound: bool
    num_tasks: int

    @classmethod
    def of(cls, workflow: Workflow) -> "SeenWorkflow":
        """What is kept of a workflow."""
        bound = workflow.created_date is not None
        return cls(workflow.status, workflow.workflow_run_id, bound, workflow.num_tasks or 0)


class SeenRun(NamedTuple):
    """What moves of a run, and whose it is."""

    workflow_id: int
    status: str
    linked: bool
    """Whether a client has linked it that says who it is, as Jobmon's does. Seed files make runs too, as they like."""

    @classmethod
    def of(cls, run: WorkflowRun) -> "SeenRun":
        """What is kept of a run."""
        return cls(run.workflow_id, run.status, {run.user, run.jobmon_version} != {None})


@dataclass(slots=True)
class SeenWorkflows:
    """What was seen of workflows and runs."""

    workflows: dict[int, SeenWorkflow] = field(default_factory=dict)
    runs: dict[int, SeenRun] = field(default_factory=dict)
    pointers: IdMap = field(default_factory=IdMap)
    """The workflow that points to each run."""
    specs: IdMap = field(default_factory=IdMap)
    """A fingerprint of each workflow's natural key, as its specification has it."""
    lookups: IdMap = field(default_factory=IdMap)
    """The same, as the lookup has it that leads to the workflow."""
    of_dags: dict[int, int] = field(default_factory=dict)
    """The first workflow that was seen of each DAG."""
    spoken_of: set[int] = field(default_factory=set)
    """The workflows to which other items belong."""

    def add(self, parsed: Parsed) -> Finding | None:
        """Keep an item. Return what is wrong if it is a second lookup of one workflow: none is ever taken back."""
        item, ids = parsed
        match item:
            case Workflow():
                self.workflows[ids[0]] = SeenWorkflow.of(item)
            case WorkflowRun():
                self.runs[ids[0]] = SeenRun.of(item)
            case WorkflowLookup():
                return self._add_lookup(item)
            case WorkflowSpec():
                self.specs[ids[0]] = fingerprint(*natural_key(item))
                self.of_dags.setdefault(item.dag_id, ids[0])
            case RunOfWorkflow():
                self.pointers[ids[1]] = ids[0]
        if isinstance(item, WorkflowSpec | WorkflowAttribute | RunOfWorkflow):
            self.spoken_of.add(ids[0])
        return None

    def _add_lookup(self, lookup: WorkflowLookup) -> Finding | None:
        if self.lookups[lookup.id]:
            got = f"for workflow {lookup.id}, to which another one leads"
            return Finding("lookup", in_words(lookup), got, "for a workflow of its own")
        self.lookups[lookup.id] = fingerprint(lookup.pk, lookup.sk)
        return None


def natural_key(spec: WorkflowSpec) -> Key:
    """The key of the lookup that must lead to a workflow."""
    return WorkflowLookup.key(spec.workflow_args_hash, spec.tool_version_id, spec.dag_id, spec.task_hash)

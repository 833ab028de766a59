"""What the audit keeps of workflows and their runs while it reads: under 1 kB of each, whatever tasks it has."""

from dataclasses import dataclass, field
from typing import NamedTuple

from lockstep.workflow.item import RunOfWorkflow, Workflow, WorkflowAttribute, WorkflowSpec
from lockstep.workflow_run.item import WorkflowRun
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
    of_dags: dict[int, int] = field(default_factory=dict)
    """The first workflow that was seen of each DAG."""
    spoken_of: set[int] = field(default_factory=set)
    """The workflows to which other items belong."""

    def add(self, parsed: Parsed) -> None:
        """Keep an item."""
        item, ids = parsed
        match item:
            case Workflow():
                self.workflows[ids[0]] = SeenWorkflow.of(item)
            case WorkflowRun():
                self.runs[ids[0]] = SeenRun.of(item)
            case WorkflowSpec():
                self.of_dags.setdefault(item.dag_id, ids[0])
        if isinstance(item, WorkflowSpec | WorkflowAttribute | RunOfWorkflow):
            self.spoken_of.add(ids[0])

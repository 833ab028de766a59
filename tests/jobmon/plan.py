"""A workflow as a test describes it, and how it ended. planned.py makes it of Jobmon's own classes and runs it."""

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, Started

PLANNED: Final = Path(__file__).with_name("planned.py")
PLUGINS: Final = Path(__file__).with_name("plugins")
"""Where Jobmon's programs find the plug-in of the cluster `forks`."""
SETTINGS: Final = {"PYTHONUTF8": "1", "PYTHONPATH": str(PLUGINS)}
"""What programs need in their environment to use it."""
_ARGUMENTS: Final = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Task:
    """A task. Its fields, but `template`, `after` and `compute_resources_file`, are what create_task() takes."""

    name: str
    command: str = "true"
    template: str = "step"
    after: Sequence[str] = ()
    """The names of the tasks before it."""
    remark: str = ""
    """Its task argument."""
    max_attempts: int = 3
    task_attributes: Mapping[str, str] = field(default_factory=dict)
    compute_resources: Mapping[str, Any] = field(default_factory=dict)
    compute_resources_file: str | None = None
    """A file with more resources as JSON, read by a function once the task is ready (compute_resources_callable)."""
    resource_scales: Mapping[str, float] = field(default_factory=dict)
    fallback_queues: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A workflow."""

    directory: Path
    tasks: Sequence[Task]
    cluster: str = "sequential"
    queue: str = "null.q"
    limits: Mapping[str, int] = field(default_factory=dict)
    """How many tasks of a template may run at once."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """More of what create_workflow() takes."""
    tool: str = "läb 🧪"
    arguments: str = field(default_factory=lambda: f"plan {next(_ARGUMENTS)}")

    def start(self, middleman: Middleman, *, url: str | None = None, **run: Any) -> Started:
        """Start the program that runs it. `run` is what Workflow.run() takes, or `apart` (see planned.py).

        A distributor that is told to end while it sends a report goes on. Its client waits so long, and kills it.

        url: the middleman's with a token.
        """
        run = {"distributor_startup_timeout": 5} | run
        workflow = {
            "workflow_args": self.arguments,
            "default_cluster_name": self.cluster,
            "default_compute_resources_set": {self.cluster: {"queue": self.queue, "cores": 1, "memory": 1}},
            **self.settings,
        }
        plan = {
            "tool": self.tool,
            "workflow": workflow,
            "tasks": [asdict(task) for task in self.tasks],
            "limits": self.limits,
        }
        file = self.directory / "plan.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        return CURRENT.start("python", PLANNED, file, json.dumps(run), api=url or middleman.url, **SETTINGS)

    def run(self, middleman: Middleman, **run: Any) -> "End":
        """Run it to its end."""
        return End.of(self.start(middleman, **run))


@dataclass(frozen=True, slots=True)
class End:
    """How Workflow.run() ended."""

    workflow_id: int
    status: str
    tasks: Mapping[str, int]
    """Their ids by their names."""
    errors: Mapping[str, list[str]]
    """What Task.get_errors() says of those that have failed."""

    @classmethod
    def of(cls, program: Started, seconds: float = 200) -> "End":
        """The end of a program that ends well within so many seconds."""
        assert program.wait(seconds) == 0, program.printed()
        found = re.search(r'^\{"workflow_id".*\}$', program.printed(), re.MULTILINE)
        assert found, program.printed()
        return cls(**json.loads(found[0]))

"""A workflow as Jobmon's users write it: 200 tasks in a diamond of arrays. Jobmon's interpreter runs it.

    prepare (20) ─┬─ model (80) ─┬─ report (20)
                  └─ check (80) ─┘

The first model of each place fails once, and is tried again. One check fails until the folder holds a file `mended`.

Arguments: the folder for what the tasks leave there, and `resume` to go on with a run that failed.
"""

import json
import sys
from pathlib import Path
from shlex import quote

from jobmon.client.api import Tool
from jobmon.client.task import Task
from jobmon.client.task_template import TaskTemplate

PLACES = range(20)
PARTS = range(4)
FAILS_FIRST = "test -e {0} || {{ touch {0}; echo 'fails at first' >&2; exit 1; }}"


def main() -> None:
    """Bind the workflow, run it, and leave the ids of its tasks in tasks.json."""
    folder, *more = sys.argv[1:]
    tool = Tool(name="diamond_of_arrays")
    workflow = tool.create_workflow(
        name="200 tasks in a diamond of arrays",
        workflow_args=folder,
        default_cluster_name="sequential",
        default_compute_resources_set={"sequential": {"queue": "null.q", "cores": 1}},
        default_max_attempts=2,
    )
    steps = {name: make_step(tool, name) for name in ("prepare", "model", "check", "report")}
    for place in PLACES:
        workflow.add_tasks(tasks_of(place, steps, Path(folder)))
    workflow.bind()
    print(f"workflow {workflow.workflow_id} has {len(workflow.tasks)} tasks", flush=True)
    status = workflow.run(
        resume=bool(more),
        resume_timeout=20,
        distributor_startup_timeout=10,  # how long it also waits for the distributor's end
        configure_logging=True,
    )
    ids = {task.name: task.task_id for task in workflow.tasks.values()}
    Path(folder, "tasks.json").write_text(json.dumps(ids), encoding="utf-8")
    print(f"workflow {workflow.workflow_id} ended {status}")


def make_step(tool: Tool, name: str) -> TaskTemplate:
    """Make a task template: its tasks are one array."""
    return tool.get_task_template(
        template_name=name,
        command_template="{command} # {place} {part}",
        node_args=["place", "part"],
        op_args=["command"],
    )


def tasks_of(place: int, steps: dict[str, TaskTemplate], folder: Path) -> list[Task]:
    """Make a place's tasks: one prepares, four model and four check what it prepared, one reports on all."""

    def task(step: str, part: int, command: str = "true", upstream: list[Task] | None = None) -> Task:
        return steps[step].create_task(
            name=f"{step}_{place}_{part}", place=place, part=part, command=command, upstream_tasks=upstream or []
        )

    prepare = task("prepare", 0)
    fails_first = FAILS_FIRST.format(quote(str(folder / f"model_{place}")))
    models = [task("model", part, "true" if part else fails_first, [prepare]) for part in PARTS]
    until_mended = f"test -e {quote(str(folder / 'mended'))}"
    checks = [task("check", part, until_mended if (place, part) == (8, 0) else "true", [prepare]) for part in PARTS]
    return [prepare, *models, *checks, task("report", 0, upstream=[*models, *checks])]


if __name__ == "__main__":
    main()

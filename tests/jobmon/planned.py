"""A program as Jobmon's users write it: runs the workflow that a file describes (see plan.py), and says how it ended.

Run by Jobmon's own interpreter.
"""

import json
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from jobmon.client.api import Tool
from jobmon.client.swarm.workflow_run import WorkflowRun
from jobmon.client.workflow import Workflow
from jobmon.client.workflow_run import WorkflowRunFactory


def main() -> None:
    """Arguments: the file, and the keyword arguments of Workflow.run() as JSON, or `apart`: a file (run_apart)."""
    plan = read(Path(sys.argv[1]))
    tool = Tool(name=plan["tool"])
    workflow = tool.create_workflow(**plan["workflow"])
    templates: dict[str, Any] = {}
    tasks: dict[str, Any] = {}
    for planned in plan["tasks"]:
        name, command, template = planned.pop("name"), planned.pop("command"), planned.pop("template")
        if template not in templates:
            templates[template] = tool.get_task_template(
                template_name=template,
                command_template="{command} # {label} {remark}",
                node_args=["label"],
                task_args=["remark"],
                op_args=["command"],
            )
        upstream = [tasks[above] for above in planned.pop("after")]
        if file := planned.pop("compute_resources_file"):
            planned["compute_resources_callable"] = partial(read, Path(file))
        tasks[name] = templates[template].create_task(
            name=name, label=name, command=command, upstream_tasks=upstream, **planned
        )
    workflow.add_tasks(list(tasks.values()))
    for template, limit in plan["limits"].items():
        workflow.set_task_template_max_concurrency_limit(template, limit)
    how = json.loads(sys.argv[2])
    status = run_apart(workflow, Path(how["apart"])) if "apart" in how else workflow.run(**how)
    ids = {name: task.task_id for name, task in tasks.items()}
    errors = {name: errors_of(task) for name, task in tasks.items() if task.final_status == "F"}
    print(json.dumps({"workflow_id": workflow.workflow_id, "status": status, "tasks": ids, "errors": errors}))


def run_apart(workflow: Workflow, started: Path) -> Any:
    """Run a workflow as Workflow.run() does, but that somebody else starts the distributor, and then makes a file."""
    workflow.bind()
    workflow._bind_tasks()
    run = WorkflowRunFactory(workflow.workflow_id).create_workflow_run()
    run._update_status("B")
    print(f"workflow run {run.workflow_run_id} is bound", flush=True)
    swarm = WorkflowRun(workflow_run_id=run.workflow_run_id, requester=workflow.requester, status=run.status)
    swarm.from_workflow(workflow)
    while not started.exists():
        time.sleep(0.05)
    swarm.run(lambda: True)
    for task in workflow.tasks.values():
        task.final_status = swarm.tasks[task.task_id].status
    return swarm.status


def errors_of(task: Any) -> list[str]:
    """What Jobmon tells a user of a task's last attempt."""
    found = task.get_errors()
    return [entry["description"] for entry in found["error_log"]] if found else []


def read(file: Path) -> Any:
    """What a file says in JSON."""
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

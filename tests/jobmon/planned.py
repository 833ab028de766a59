"""A program as Jobmon's users write it: runs the workflow that a file describes (see plan.py), and says how it ended.

Run by Jobmon's own interpreter.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from jobmon.client.api import Tool


def main() -> None:
    """Arguments: the file, and the keyword arguments of Workflow.run() as JSON."""
    plan = read(Path(sys.argv[1]))
    tool = Tool(name=plan["tool"])
    workflow = tool.create_workflow(**plan["workflow"])
    templates: dict[str, Any] = {}
    tasks: dict[str, Any] = {}
    for planned in plan["tasks"]:
        name, command, template = planned.pop("name"), planned.pop("command"), planned.pop("template")
        if template not in templates:
            templates[template] = tool.get_task_template(
                template_name=template, command_template="{command} # {label}", node_args=["label"], op_args=["command"]
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
    status = workflow.run(**json.loads(sys.argv[2]))
    ids = {name: task.task_id for name, task in tasks.items()}
    print(json.dumps({"workflow_id": workflow.workflow_id, "status": status, "tasks": ids}))


def read(file: Path) -> Any:
    """What a file says in JSON."""
    return json.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()

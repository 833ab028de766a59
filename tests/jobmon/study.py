"""A program as Jobmon's users write it: a diamond, one of whose tasks fails until a file is there.

Run by Jobmon's own interpreter, by test_client.py. Prints the workflow's id and the status of its end.
"""

import sys

from jobmon.client.api import Tool


def main() -> None:
    """Arguments: workflow_args, the file, the width of the middle, and `resume`."""
    workflow_args, file, width, *more = sys.argv[1:]
    tool = Tool(name="läb 🧪")
    step = tool.get_task_template(
        template_name="step",
        command_template="{command} # {place} {year}",
        node_args=["place"],
        task_args=["year"],
        op_args=["command"],
    )
    workflow = tool.create_workflow(
        name="diamond ◇",
        workflow_args=workflow_args,
        default_cluster_name="sequential",
        default_compute_resources_set={"sequential": {"queue": "null.q", "cores": 1, "runtime": 60}},
        workflow_attributes={"project": "präsidium"},
    )
    top = step.create_task(place="top", year="2026", command="true", task_attributes={"sex": "ü"})
    middle = [
        step.create_task(place=f"middle {number}", year="2026", command="true", upstream_tasks=[top])
        for number in range(int(width))
    ]
    bottom = step.create_task(
        place="bottom", year="2027", command=f"test -e {file}", upstream_tasks=middle, max_attempts=2
    )
    last = step.create_task(place="last", year="2026", command="true", upstream_tasks=[bottom])
    workflow.add_tasks([top, *middle, bottom, last])
    status = workflow.run(resume=bool(more), distributor_startup_timeout=5)  # how long it also waits for its end
    errors = len(workflow.get_errors() or {})
    print(f"workflow {workflow.workflow_id} ended {status} with errors of {errors} tasks")  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main()

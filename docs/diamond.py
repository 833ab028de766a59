"""A workflow as Jobmon's users write it: a diamond of five tasks, run with `python diamond.py`."""

from getpass import getuser

from jobmon.client.api import Tool

tool = Tool(name="first_steps")
template = tool.get_task_template(
    template_name="say",
    command_template="echo {what} of {location}",
    node_args=["location"],
    task_args=["what"],
)
workflow = tool.create_workflow(
    name=f"diamond of {getuser()}",
    default_cluster_name="multiprocess",
    default_compute_resources_set={"multiprocess": {"queue": "null.q", "cores": 1}},
)
first = template.create_task(location="everywhere", what="data")
middle = [
    template.create_task(location=location, what="model", upstream_tasks=[first])
    for location in ("Fiji", "Österreich", "日本")
]
last = template.create_task(location="all of them", what="results", upstream_tasks=middle)
workflow.add_tasks([first, *middle, last])

print(f"workflow {workflow.run()}: D means that all tasks are done")

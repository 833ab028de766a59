"""Arrays: find or create one by its natural key, workflow and task template version."""

from lockstep.array.item import Array, ArrayLookup, array_listed_as, listed_in
from lockstep.dynamodb.client import reach
from lockstep.dynamodb.counters import allocate
from lockstep.dynamodb.item import MAX_TITLE_BYTES
from lockstep.dynamodb.puts import put_new
from lockstep.dynamodb.reads import fetch
from lockstep.text import beginning
from lockstep.workflow.tasks import ensure_workflow


def bind_array(workflow_id: int, task_template_version_id: int, max_concurrently_running: int, name: str) -> int:
    """Find or create a workflow's array for a template version, set its concurrency, and return its id.

    The workflow is made if nobody bound it. Callers that race with the same pair of ids get the same array.
    """
    lookup = ArrayLookup.key(workflow_id, task_template_version_id)
    found = fetch([lookup], consistent=True).get(lookup)
    if not found:
        ensure_workflow(workflow_id)
        [array_id] = allocate("array", 1)
        array = Array(
            *Array.key(array_id),
            name=name,
            workflow_id=workflow_id,
            task_template_version_id=task_template_version_id,
            max_concurrently_running=max_concurrently_running,
            num_batches=0,
            title=beginning(name, MAX_TITLE_BYTES),
            listed_in=listed_in(workflow_id),
            listed_as=array_listed_as(array_id),
        )
        found = put_new(ArrayLookup(*lookup, id=array_id), array)
        if not found:
            return array_id
    array_id = ArrayLookup.from_raw_data(found).id
    known = Array(*Array.key(array_id))
    reach(lambda: known.update([Array.max_concurrently_running.set(max_concurrently_running)]))
    return array_id

"""Arrays: find or create one by its natural key, workflow and task template version."""

from pynamodb.transactions import TransactWrite

from lockstep.array.item import Array, ArrayLookup
from lockstep.dynamodb.client import ConditionFailedError, fetch, reach, transact
from lockstep.dynamodb.counters import allocate


def bind_array(workflow_id: int, task_template_version_id: int, max_concurrently_running: int, name: str) -> int:
    """Find or create a workflow's array for a template version, set its concurrency, and return its id.

    Callers that race with the same pair of ids get the same array.
    """
    lookup = ArrayLookup.key(workflow_id, task_template_version_id)
    found = fetch([lookup], consistent=True).get(lookup)
    if not found:
        [array_id] = allocate("array", 1)
        array = Array(
            *Array.key(array_id),
            name=name,
            workflow_id=workflow_id,
            task_template_version_id=task_template_version_id,
            max_concurrently_running=max_concurrently_running,
            num_batches=0,
        )

        def make(transaction: TransactWrite) -> None:
            transaction.save(
                ArrayLookup(*lookup, id=array_id), ArrayLookup.pk.does_not_exist(), return_values="ALL_OLD"
            )
            transaction.save(array)

        try:
            transact(make)
        except ConditionFailedError as failed:
            found = failed.found[0]
        else:
            return array_id
    array_id = ArrayLookup.from_raw_data(found or {}).id
    known = Array(*Array.key(array_id))
    reach(lambda: known.update([Array.max_concurrently_running.set(max_concurrently_running)]))
    return array_id

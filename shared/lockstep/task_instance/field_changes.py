"""Turn the fields of a report into changes of the instance and of its log."""

from pynamodb.expressions.update import Action

from lockstep import text
from lockstep.context import token
from lockstep.task_instance.item import MAX_INLINE_BYTES, MAX_LOG_CHARACTERS, Log, TaskInstance
from lockstep.task_instance.report import ReportedFields


def instance_changes(fields: ReportedFields) -> list[Action]:
    """The changes of the instance. A text that is too long for it goes to its log."""
    changes: list[Action] = [
        getattr(TaskInstance, attribute).set(value)
        for attribute in ("distributor_id", "process_group_id", "report_by")
        if (value := getattr(fields, attribute)) is not None
    ]
    for attribute, limit in MAX_INLINE_BYTES.items():
        value = getattr(fields, attribute)
        if value is not None:
            inline = getattr(TaskInstance, attribute)
            changes.append(inline.set(value) if text.fits(value, limit) else inline.remove())
    if fields.claimed_at is not None:
        changes += _claim_changes(fields, fields.claimed_at)
    if fields.launched and fields.distributor_id is not None:
        changes.append(TaskInstance.launched_as.set(text.digest(fields.distributor_id)))
    return changes


def _claim_changes(fields: ReportedFields, at: float) -> list[Action]:
    """Replace the names of the last claim by those of this one."""
    names = ((TaskInstance.worker_job, fields.distributor_id), (TaskInstance.worker_node, fields.nodename))
    return [
        TaskInstance.claimed_at.set(at),
        *(attribute.remove() if value is None else attribute.set(text.digest(value)) for attribute, value in names),
        TaskInstance.claimed_with.remove() if (own := token().id) is None else TaskInstance.claimed_with.set(own),
    ]


def log_changes(fields: ReportedFields) -> list[Action]:
    """The changes of the log: what the command printed, and the texts that are too long for the instance."""
    printed: list[Action] = [
        getattr(Log, attribute).set(text.tail(value, MAX_LOG_CHARACTERS))
        for attribute in ("stdout_log", "stderr_log")
        if (value := getattr(fields, attribute)) is not None
    ]
    long: list[Action] = [
        getattr(Log, attribute).set(value)
        for attribute, limit in MAX_INLINE_BYTES.items()
        if (value := getattr(fields, attribute)) is not None and not text.fits(value, limit)
    ]
    return printed + long

"""Steps that every attempt goes through before it runs."""

from ops.verify.session import INSTANCES_PER_TASK, REPORT_SECONDS, Attempt, Session

NODE = "lockstep-verify-node"


def queue(session: Session, task: str, number: int) -> Attempt:
    """Queue a task for its number-th attempt.

    Raises:
        StopError: it was not queued, or its step does not lead to its instance.
    """
    checks, bound = session.checks, session.bound
    task_id = bound.tasks[task]
    session.batches += 1
    checks.require(f"attempt {number} is queued", session.queue(task_id), {"Q": [task_id]})
    attempt = Attempt(task_id * INSTANCES_PER_TASK + number, session.batches)
    step = session.api.get(f"get_array_task_instance_id/{bound.array_id}/{attempt.batch_num}/0")
    checks.require(
        "its array, batch and step lead to the task instance", step.value("task_instance_id"), attempt.task_instance_id
    )
    return attempt


def instantiate(session: Session, attempt: Attempt, sentence: str = "the distributor takes it with its batch") -> None:
    """Let the distributor take the attempt.

    Raises:
        StopError: it does not get it.
    """
    taken = session.api.post(
        "task_instance/instantiate_task_instances", {"task_instance_ids": [attempt.task_instance_id]}
    )
    batch = [
        session.bound.array_id,
        session.workflow.name,
        attempt.batch_num,
        session.bound.task_resources_id,
        [attempt.task_instance_id],
    ]
    session.checks.require(sentence, taken.value("task_instance_batches"), [batch])


def launch(session: Session, attempt: Attempt, next_report_increment: float = REPORT_SECONDS) -> None:
    """Let the cluster accept the attempt.

    Raises:
        StopError: it is not launched.
    """
    reply = session.report(
        attempt, "log_distributor_id", distributor_id="lockstep-verify", next_report_increment=next_report_increment
    )
    message = reply.value("message")
    session.checks.require("the cluster's id for it is stored", message, "Task instance transitioned to LAUNCHED")


def claim(session: Session, attempt: Attempt, node: str = NODE, process: int = 1) -> tuple[object, object]:
    """The status and the command that a worker node is told when it starts."""
    reply = session.report(
        attempt, "log_running", nodename=node, process_group_id=process, next_report_increment=REPORT_SECONDS
    )
    return reply.value("task_instance", 1), reply.value("task_instance", 5)


def run(session: Session, attempt: Attempt, command: str) -> None:
    """Let a worker node start the attempt.

    Raises:
        StopError: it is not told to run the command.
    """
    told = claim(session, attempt)
    session.checks.require("a worker node is told to run the command (R)", told, ("R", command))

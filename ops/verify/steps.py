"""Steps that every attempt goes through before it runs."""

from ops.verify.session import INSTANCES_PER_TASK, REPORT_SECONDS, Attempt, Session
from sim import requests

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
    step = session.api.send(requests.find_instance(bound.array_id, attempt.batch_num, 0))
    checks.require(
        "its array, batch and step lead to the task instance", step.value("task_instance_id"), attempt.task_instance_id
    )
    return attempt


def instantiate(session: Session, attempt: Attempt, sentence: str = "the distributor takes it with its batch") -> None:
    """Let the distributor take the attempt.

    Raises:
        StopError: it does not get it.
    """
    taken = session.api.send(requests.instantiate([attempt.task_instance_id]))
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
    request = requests.log_distributor_id(attempt.task_instance_id, "lockstep-verify", next_report_increment)
    message = session.api.send(request).value("message")
    session.checks.require("the cluster's id for it is stored", message, "Task instance transitioned to LAUNCHED")


def claim(session: Session, attempt: Attempt, node: str = NODE, process: int = 1) -> tuple[object, object]:
    """The status and the command that a worker node is told when it starts."""
    reply = session.api.send(requests.log_running(attempt.task_instance_id, node, process, REPORT_SECONDS))
    return reply.value("task_instance", 1), reply.value("task_instance", 5)


def run(session: Session, attempt: Attempt, command: str) -> None:
    """Let a worker node start the attempt.

    Raises:
        StopError: it is not told to run the command.
    """
    told = claim(session, attempt)
    session.checks.require("a worker node is told to run the command (R)", told, ("R", command))


def beat(session: Session, attempt: Attempt) -> object:
    """The status that a worker node's heartbeat is answered."""
    return session.api.send(requests.log_report_by(attempt.task_instance_id, REPORT_SECONDS)).value("status")

"""A plug-in for Jobmon's programs: a cluster of this machine, whose worker nodes are forks of the distributor.

A fork is ready at once, where an interpreter takes a second. A command finds the resources that its attempt asked for
in its environment: ASKED_MEMORY, ASKED_QUEUE. Exit status 137 means that the command took too much memory.

WORKERS_URL in the distributor's environment is the URL of its worker nodes, with their token.
"""

import os
import signal
import sys
import traceback
from collections.abc import Collection, Mapping
from typing import Any

from jobmon.core.constants import TaskInstanceStatus
from jobmon.core.exceptions import RemoteExitInfoNotAvailable
from jobmon.plugins.sequential.seq_distributor import SequentialDistributor, SequentialWorkerNode
from jobmon.plugins.sequential.seq_queue import SequentialQueue
from jobmon.worker_node.cli import WorkerNodeCLI

OUT_OF_MEMORY = 137


class Distributor(SequentialDistributor):  # type: ignore[misc]  # jobmon is not installed where mypy runs
    """Forks a worker node for each job. As its parent it refuses arrays, so Jobmon submits their tasks one by one.

    A worker node hears at its next heartbeat that it must stop.
    """

    def __init__(self, cluster_name: str) -> None:
        super().__init__(cluster_name)
        self._running: set[int] = set()
        self._killed: dict[int, int] = {}
        """The signal, by process."""

    def submit_to_batch_distributor(self, command: str, name: str, requested_resources: Mapping[str, Any]) -> str:
        """Start a job; its process's id is the job's."""
        asked = {f"ASKED_{resource.upper()}": str(value) for resource, value in requested_resources.items()}
        process = os.fork()
        if not process:
            _become_worker_node(command, asked)
        self._running.add(process)
        return str(process)

    def get_submitted_or_running(self, distributor_ids: Collection[str] | None = None) -> set[str]:
        self._reap()
        return {str(process) for process in self._running}

    def get_remote_exit_info(self, distributor_id: str) -> tuple[str, str]:
        """Why a job fell silent: only a signal is known here."""
        self._reap()
        number = self._killed.get(int(distributor_id))
        if number is None:
            raise RemoteExitInfoNotAvailable
        return TaskInstanceStatus.UNKNOWN_ERROR, f"killed by {signal.Signals(number).name}"

    def get_queueing_errors(self, distributor_ids: Collection[str]) -> dict[str, str]:
        return {}

    def _reap(self) -> None:
        for process in list(self._running):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                self._running.discard(process)
                if os.WIFSIGNALED(status):
                    self._killed[process] = os.WTERMSIG(status)


def _become_worker_node(command: str, environment: Mapping[str, str]) -> None:
    """Run one job in this process, and end it. Its standard error is not the distributor's: its client reads that."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.environ.update(environment, JOB_ID=str(os.getpid()))
    if url := os.environ.pop("WORKERS_URL", None):
        os.environ["JOBMON__HTTP__SERVICE_URL"] = url
    try:
        cli = WorkerNodeCLI()
        cli.run_task_instance_job(cli.parse_args(command))
    except Exception:  # noqa: BLE001  # whatever it is, the test prints it
        traceback.print_exc(file=sys.stdout)
        sys.stdout.flush()
    finally:
        os._exit(0)  # what the distributor would do at its end is not for a worker node


class WorkerNode(SequentialWorkerNode):  # type: ignore[misc]  # as above
    """Tells a lack of memory from other failures."""

    @staticmethod
    def get_exit_info(exit_code: int, error_msg: str) -> tuple[str, str]:
        if exit_code == OUT_OF_MEMORY:
            return TaskInstanceStatus.RESOURCE_ERROR, "out of memory"
        return TaskInstanceStatus.ERROR, error_msg


class Queue(SequentialQueue):  # type: ignore[misc]  # as above
    """Holds the most memory that a job may ask for."""

    required_resources = ("memory",)

    @property
    def _most_memory(self) -> int:
        _, most = self._parameters["memory"]
        return int(most)

    def validate_resources(self, strict: bool = False, **asked: Any) -> tuple[bool, str]:
        fits = asked.get("memory", 0) <= self._most_memory
        return fits or not strict, "" if fits else f"{self._queue_name} has {self._most_memory} GiB"

    def coerce_resources(self, **asked: Any) -> dict[str, Any]:
        return asked | {"memory": min(asked.get("memory", 1), self._most_memory)}


def get_cluster_queue_class() -> type[Queue]:
    return Queue


def get_cluster_distributor_class() -> type[Distributor]:
    return Distributor


def get_cluster_worker_node_class() -> type[WorkerNode]:
    return WorkerNode

"""Jobmon's programs, unmodified, each version in a virtual environment of its own."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Final

import pytest

from local.template import ROOT, Template


@dataclass(frozen=True, slots=True)
class Started:
    """A program that was started, as the leader of a process group of its own."""

    process: "subprocess.Popen[bytes]"
    _printed: IO[bytes]

    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    def wait(self, seconds: float = 60) -> int:
        """Its exit status."""
        return self.process.wait(timeout=seconds)

    def printed(self) -> str:
        """What it has printed so far."""
        self._printed.seek(0)
        return self._printed.read().decode()

    def kill(self) -> None:
        """End it and all that it started, as when its machine fails."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End it, and forget what it printed."""
        self.kill()
        self._printed.close()


_STARTED: Final[list[Started]] = []


def kill_all() -> None:
    """End everything that was started."""
    while _STARTED:
        _STARTED.pop().close()


@dataclass(frozen=True, slots=True)
class Programs:
    """One version of jobmon_core."""

    version: str
    environment: str
    prefix_variable: bool
    """Whether the route prefix is a setting of its own."""

    def __str__(self) -> str:
        return self.version

    def start(self, program: str, *arguments: object, api: str, **settings: str) -> Started:
        """Start a program."""
        folder = ROOT / ".jobmon" / self.environment / "bin"
        environment = {
            **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
            "PATH": f"{folder}:/usr/bin:/bin",
            "NO_PROXY": "127.0.0.1",
            **self._service(api),
            "JOBMON__HEARTBEAT__WORKFLOW_RUN_INTERVAL": "1",
            "JOBMON__HEARTBEAT__TASK_INSTANCE_INTERVAL": "1",
            "JOBMON__HEARTBEAT__REPORT_BY_BUFFER": "8",
            **settings,
        }
        printed = tempfile.TemporaryFile()  # noqa: SIM115  # closed by Started.kill; a pipe that nobody reads fills up
        process = subprocess.Popen(
            [folder / program, *map(str, arguments)],
            env=environment,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started = Started(process, printed)
        _STARTED.append(started)
        return started

    def _service(self, api: str) -> Mapping[str, str]:
        prefix = f"/{Template().stage}/api/v3"
        if self.prefix_variable:
            return {"JOBMON__HTTP__SERVICE_URL": api, "JOBMON__HTTP__ROUTE_PREFIX": prefix}
        return {"JOBMON__HTTP__SERVICE_URL": f"{api}{prefix}"}

    def worker_node(self, task_instance_id: int, *, api: str, **settings: str) -> Started:
        """A worker node for one instance."""
        usual = ("--cluster_name", "sequential", "--expected_jobmon_version", self.version)
        arguments = ("worker_node_job", "--task_instance_id", task_instance_id, *usual)
        return self.start("worker_node_entry_point", *arguments, api=api, **settings)

    def distributor(self, workflow_run_id: int, cluster: str, *, api: str) -> Started:
        """A distributor of a workflow run."""
        arguments = ("--cluster_name", cluster, "--workflow_run_id", workflow_run_id)
        return self.start("jobmon_distributor", "start", *arguments, api=api)


CURRENT = Programs("3.4.8", "current", prefix_variable=True)
EARLIER = Programs("3.2.2", "earlier", prefix_variable=False)
PEERS = [pytest.param(CURRENT, id="3.4.8"), pytest.param(EARLIER, id="3.2.2")]
"""For a test that each of them is to pass."""


def wait_for(what: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something holds that programs bring about."""
    give_up = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < give_up
        time.sleep(0.05)

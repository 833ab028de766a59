"""Jobmon's client, unmodified, resumes what is left when a client, a distributor, a worker node or all are killed."""

import os
import signal
from pathlib import Path
from typing import Final

import httpx

from lockstep.task_instance.item import InstanceKey
from tests.jobmon.commands import journal, overlaps, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import attempts, ends, statuses
from tests.jobmon.plan import End, Plan, Task
from tests.jobmon.programs import CURRENT, wait_for

TIMEOUT = 20
"""A second client waits for a tenth of it, even if its turn has come."""

TOLD_TO_STOP: Final = {"KD", "FD"}
"""Nobody is left who reports the first attempt. A sweep of the next run ends it, if one comes before that run's end."""


def test_a_client(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    """Its distributor and its worker node go on. The worker node hears at its next heartbeat that it must stop."""
    go = tmp_path / "go"
    plan = Plan(tmp_path, [Task("a", work(tmp_path, "a", until=go)), Task("b", after=["a"])], forks, "small.q")
    first = plan.start(middleman)
    wait_for(lambda: journal(tmp_path) == ["begin a"])

    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    second = plan.start(middleman, resume=True, resume_timeout=3 * TIMEOUT)
    wait_for(lambda: journal(tmp_path) == ["begin a", "begin a"])
    go.touch()
    end = End.of(second)

    assert end.status == "D"
    assert statuses(api, end.workflow_id) == {"D": 2}
    assert ends(api, end.tasks["a"]) == "FD"
    assert ends(api, end.tasks["b"]) == "D"
    assert journal(tmp_path) == ["begin a", "begin a", "end a"]
    assert overlaps(tmp_path) == []
    assert middleman.not_ok == []


def test_a_distributor(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    """On the cluster `sequential` it is itself what starts a command."""
    plan = Plan(tmp_path, [Task("a", work(tmp_path, "a", kills=1)), Task("b", after=["a"])])

    first = plan.start(middleman)

    assert first.wait(200) != 0
    assert "DistributorNotAlive" in first.printed()
    end = plan.run(middleman, resume=True, resume_timeout=TIMEOUT)
    assert end.status == "D"
    assert statuses(api, end.workflow_id) == {"D": 2}
    assert ends(api, end.tasks["a"]) in TOLD_TO_STOP
    assert ends(api, end.tasks["b"]) == "D"
    assert journal(tmp_path) == ["begin a", "end a", "begin a", "end a"]
    assert middleman.not_ok == []


def test_a_worker_node(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    """Triage finds the signal. The task may be tried once, so it takes a resume to do it."""
    tasks = [Task("a", work(tmp_path, "a", kills=1), max_attempts=1), Task("b", after=["a"])]
    plan = Plan(tmp_path, tasks, forks, "small.q")

    failed = plan.run(middleman)
    end = plan.run(middleman, resume=True, resume_timeout=TIMEOUT)

    assert (failed.status, end.status) == ("E", "D")
    assert statuses(api, end.workflow_id) == {"D": 2}
    killed, done = attempts(api, end.tasks["a"])
    assert (killed.status, killed.errors, done.status) == ("U", ["killed by SIGKILL"], "D")
    assert ends(api, end.tasks["b"]) == "D"
    assert journal(tmp_path) == ["begin a", "end a", "begin a", "end a"]
    assert middleman.not_ok == []


def test_all_at_one_moment(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    """Their machine fails, and the commands with it. At last the cluster starts the job of what ran once more."""
    go = tmp_path / "go"
    tasks = [
        Task("ended", work(tmp_path, "ended")),
        Task("runs", work(tmp_path, "runs", until=go), after=["ended"]),
        Task("waits", work(tmp_path, "waits"), after=["runs"]),
    ]
    plan = Plan(tmp_path, tasks, forks, "small.q")
    first = plan.start(middleman)
    wait_for(lambda: journal(tmp_path) == ["begin ended", "end ended", "begin runs"])

    first.kill()
    go.touch()
    end = plan.run(middleman, resume=True, resume_timeout=2 * TIMEOUT)
    assert ends(api, end.tasks["runs"]) in TOLD_TO_STOP
    assert [ends(api, end.tasks[name]) for name in ("ended", "waits")] == ["D", "D"]
    late = CURRENT.worker_node(InstanceKey(end.tasks["runs"], 1).id, api=middleman.url)

    assert late.wait() != 0
    assert end.status == "D"
    assert statuses(api, end.workflow_id) == {"D": 3}
    assert ends(api, end.tasks["runs"]) == "FD"
    assert journal(tmp_path)[3:] == ["begin runs", "end runs", "begin waits", "end waits"]
    assert overlaps(tmp_path) == []
    assert middleman.not_ok == []

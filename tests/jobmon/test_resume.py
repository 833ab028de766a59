"""Jobmon's client, unmodified, resumes a workflow that another client still runs: the first one ends by itself."""

from pathlib import Path

import httpx

from tests.jobmon.commands import journal, overlaps, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import attempts, ends, statuses
from tests.jobmon.plan import End, Plan, Task
from tests.jobmon.programs import wait_for

TIMEOUT = 60
"""A second client asks every tenth of it whether its turn has come."""
TERMINATE = "PUT /api/v3/workflow_run/#/terminate_task_instances"
RESUMED = "Workflow resume requested. Setting to KILL_SELF from status: R"


def test_a_cold_resume_stops_what_runs(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    go = tmp_path / "go"
    plan = Plan(tmp_path, [Task("a", work(tmp_path, "a", until=go))], cluster=forks, queue="small.q")
    first = plan.start(middleman)
    wait_for(lambda: journal(tmp_path) == ["begin a"])

    second = plan.start(middleman, resume=True, reset_running_jobs=True, resume_timeout=TIMEOUT)
    wait_for(lambda: journal(tmp_path) == ["begin a", "begin a"])
    go.touch()
    stopped, end = End.of(first), End.of(second)

    assert (stopped.status, end.status) == ("T", "D")
    assert (end.workflow_id, end.tasks) == (stopped.workflow_id, stopped.tasks)
    assert statuses(api, end.workflow_id) == {"D": 1}
    killed, done = attempts(api, end.tasks["a"])
    assert (killed.status, done.status) == ("F", "D")
    assert killed.errors[0] == RESUMED
    assert journal(tmp_path) == ["begin a", "begin a", "end a"]
    assert overlaps(tmp_path) == []
    assert middleman.not_ok == []


def test_a_hot_resume_lets_what_runs_go_on(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    """A task that has failed is left for the second client, so the first one is not done."""
    go, there = tmp_path / "go", tmp_path / "there"
    runs = Task("runs", work(tmp_path, "runs", until=go))
    fails = Task("fails", f"test -e {there}", max_attempts=1)
    plan = Plan(tmp_path, [runs, fails], cluster=forks, queue="small.q")
    first = plan.start(middleman)
    wait_for(lambda: journal(tmp_path) == ["begin runs"])
    wait_for(lambda: middleman.requests["POST /api/v3/task_instance/#/log_error_worker_node"])
    there.touch()

    second = plan.start(middleman, resume=True, reset_running_jobs=False, resume_timeout=TIMEOUT)
    wait_for(lambda: middleman.requests[TERMINATE])
    go.touch()
    stopped, end = End.of(first), End.of(second)

    assert (stopped.status, end.status) == ("T", "D")
    assert (end.workflow_id, end.tasks) == (stopped.workflow_id, stopped.tasks)
    assert statuses(api, end.workflow_id) == {"D": 2}
    assert ends(api, end.tasks["runs"]) == "D"
    assert ends(api, end.tasks["fails"]) == "ED"
    assert journal(tmp_path) == ["begin runs", "end runs"]
    assert middleman.not_ok == []


def test_a_hot_resume_finds_the_workflow_done(
    middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path
) -> None:
    """The first client has ended it when the second one's turn comes."""
    go = tmp_path / "go"
    plan = Plan(tmp_path, [Task("a", work(tmp_path, "a", until=go))], cluster=forks, queue="small.q")
    first = plan.start(middleman)
    wait_for(lambda: journal(tmp_path) == ["begin a"])

    second = plan.start(middleman, resume=True, reset_running_jobs=False, resume_timeout=TIMEOUT)
    wait_for(lambda: middleman.requests[TERMINATE])
    go.touch()
    end = End.of(first)

    assert end.status == "D"
    assert second.wait(200) != 0
    assert f"WorkflowNotResumable: Workflow {end.workflow_id} is not in a resume-able state" in second.printed()
    assert statuses(api, end.workflow_id) == {"D": 1}
    assert ends(api, end.tasks["a"]) == "D"
    assert journal(tmp_path) == ["begin a", "end a"]
    assert middleman.not_ok == []

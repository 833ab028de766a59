"""Jobmon's command line, unmodified: what runs, and what the others are told."""

from pathlib import Path

import httpx

from tests.jobmon.commands import journal, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import ends, statuses
from tests.jobmon.plan import SETTINGS, Plan, Task
from tests.jobmon.programs import CURRENT, Started

SERVED = {"version", "workflow_resume"}
REFUSED = {
    "workflow_status": ("-u", "ann"),
    "workflow_tasks": ("-w", 1001),
    "task_template_resources": ("-t", 1001),
    "task_status": ("-t", 1_000_000_001),
    "update_task_status": ("-t", 1_000_000_001, "-w", 1001, "-s", "D"),
    "concurrency_limit": ("-w", 1001, "-m", 2),
    "task_dependencies": ("-t", 1_000_000_001),
    "workflow_reset": ("-w", 1001),
    "create_resource_yaml": ("-w", 1001, "-p"),
    "get_filepaths": ("-w", 1001),
}
"""The commands whose routes Lockstep does not serve, with what they need."""


def jobmon(middleman: Middleman, *arguments: object) -> Started:
    return CURRENT.start("jobmon", *arguments, api=middleman.url, **SETTINGS)


def test_a_workflow_is_resumed_by_its_id(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    """The command reads all of it from the server. It waits 30 s after each look at whether it may begin."""
    tasks = [
        Task("ended", work(tmp_path, "ended")),
        Task("fails", work(tmp_path, "fails", failures=1), max_attempts=1, after=["ended"]),
        Task("waits", work(tmp_path, "waits"), after=["fails"], resource_scales={"memory": 0.5}),
    ]
    failed = Plan(tmp_path, tasks).run(middleman)
    assert failed.status == "E"

    resumed = jobmon(middleman, "workflow_resume", "-w", failed.workflow_id, "-c", "sequential", "--reset-running-jobs")

    assert resumed.wait(200) == 0, resumed.printed()
    said = f"Workflow {failed.workflow_id} has successfully resumed to completion."
    assert said in resumed.printed().splitlines()
    assert statuses(api, failed.workflow_id) == {"D": 3}
    assert [ends(api, task_id) for task_id in failed.tasks.values()] == ["D", "ED", "D"]
    assert [line for line in journal(tmp_path) if line.startswith("begin")] == [
        "begin ended",
        "begin fails",
        "begin fails",
        "begin waits",
    ]
    assert middleman.not_ok == []


def test_the_commands_are_those_that_are_known(middleman: Middleman) -> None:
    helped = jobmon(middleman, "--help")
    assert helped.wait() == 0
    [commands] = {line.strip(" {}.") for line in helped.printed().splitlines() if line.startswith("  {")}
    assert set(commands.split(",")) == SERVED | REFUSED.keys()
    version = jobmon(middleman, "version")
    assert version.wait() == 0
    assert version.printed() == "3.3.0\n"
    assert middleman.requests.total() == 0


def test_a_command_that_is_not_served_ends_and_says_so(middleman: Middleman) -> None:
    commands = {name: jobmon(middleman, name, *arguments) for name, arguments in REFUSED.items()}
    assert {name: command.wait(200) for name, command in commands.items()} == dict.fromkeys(REFUSED, 1)
    for command in commands.values():
        last = command.printed().splitlines()[-1]
        assert last.startswith("jobmon.core.exceptions.InvalidRequest: Client error with status code 403"), last
        assert "no route is" in last
    assert len(middleman.not_ok) == len(REFUSED), "none is sent again"

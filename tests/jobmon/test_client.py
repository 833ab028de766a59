"""Jobmon's client, unmodified: whole workflows, by Workflow.run()."""

import re
from dataclasses import replace
from pathlib import Path

import httpx

from tests.jobmon.commands import journal, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import ends, statuses
from tests.jobmon.plan import End, Plan, Task
from tests.jobmon.programs import wait_for

LOSES = r"WorkflowAlreadyExists: This workflow already exists|WorkflowNotResumable: WorkflowRun \d+ holds the workflow"
"""What the other one of two clients is told, after the tasks are bound and before."""


def test_of_two_clients_with_one_workflow_one_runs_it(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    plan = Plan(tmp_path, [Task("a"), Task("b", after=["a"])])
    (tmp_path / "other").mkdir()
    both = [each.start(middleman) for each in (plan, replace(plan, directory=tmp_path / "other"))]
    loser, winner = sorted(both, key=lambda program: program.wait(200) == 0)
    assert loser.wait() != 0, loser.printed()
    assert re.search(LOSES, loser.printed()), loser.printed()
    end = End.of(winner)
    assert (end.status, statuses(api, end.workflow_id)) == ("D", {"D": 2})


def test_a_workflow_is_not_run_twice(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    """Whoever comes with its arguments while it runs is refused, with its tasks or with others; and once it is done."""
    go, other = tmp_path / "go", tmp_path / "other"
    other.mkdir()
    plan = Plan(tmp_path, [Task("a", work(tmp_path, "a", until=go))], forks, "small.q")
    first = plan.start(middleman)
    wait_for(lambda: journal(tmp_path) == ["begin a"])

    same = plan.start(middleman)
    others = Plan(other, [Task("b")], forks, "small.q", arguments=plan.arguments).start(middleman)

    assert [program.wait() for program in (same, others)] == [1, 1]
    assert "WorkflowAlreadyExists: This workflow already exists." in same.printed()
    assert "WorkflowAlreadyExists: The unique workflow_args already belong to a workflow" in others.printed()
    go.touch()
    end = End.of(first)
    assert end.status == "D"
    assert ends(api, end.tasks["a"]) == "D"
    done = plan.start(middleman)
    assert done.wait() == 1
    assert "WorkflowAlreadyComplete" in done.printed()
    assert journal(tmp_path) == ["begin a", "end a"]
    [args_hash] = {found[1] for line in middleman.journal if (found := re.search(r"GET /api/v3/workflow/(\d+) ", line))}
    assert len(api.get(f"/workflow/{args_hash}").raise_for_status().json()["matching_workflows"]) == 1
    assert middleman.not_ok == []

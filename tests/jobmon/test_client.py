"""Jobmon's client, unmodified: whole workflows, by Workflow.run()."""

import re
from itertools import count
from pathlib import Path

import httpx

from tests.jobmon.commands import journal, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import ends, statuses
from tests.jobmon.plan import End, Plan, Task
from tests.jobmon.programs import CURRENT, Started, wait_for

STUDY = Path(__file__).with_name("study.py")
LOSES = r"WorkflowAlreadyExists: This workflow already exists|WorkflowNotResumable: WorkflowRun \d+ holds the workflow"
"""What the other one of two clients is told, after the tasks are bound and before."""
_ARGUMENTS = count(1)


def study(middleman: Middleman, *arguments: object) -> Started:
    return CURRENT.start("python", STUDY, *arguments, api=middleman.url, PYTHONUTF8="1")


def ended(program: Started) -> tuple[int, str, int]:
    """The workflow's id, the status of its end, and how many of its tasks have errors."""
    assert program.wait(200) == 0, program.printed()
    found = re.search(r"workflow (\d+) ended (\w) with errors of (\d+) tasks", program.printed())
    assert found, program.printed()
    return int(found[1]), found[2], int(found[3])


def test_a_failed_workflow_is_resumed_and_done(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    file, arguments = tmp_path / "there", next(_ARGUMENTS)
    workflow_id, status, errors = ended(study(middleman, arguments, file, 2))
    assert (status, errors) == ("E", 1)
    assert statuses(api, workflow_id) == {"D": 3, "F": 1, "G": 1}
    file.touch()
    assert ended(study(middleman, arguments, file, 2, "resume")) == (workflow_id, "D", 1)
    assert statuses(api, workflow_id) == {"D": 5}
    again = study(middleman, arguments, file, 2)
    assert again.wait(60) != 0
    assert "WorkflowAlreadyComplete" in again.printed()
    assert middleman.not_ok == []


def test_of_two_clients_with_one_workflow_one_runs_it(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    file, arguments = tmp_path / "there", next(_ARGUMENTS)
    file.touch()
    both = [study(middleman, arguments, file, 1) for _ in range(2)]
    codes = sorted(program.wait(200) for program in both)
    printed = "\n".join(program.printed() for program in both)
    assert codes[0] == 0, printed
    assert codes[1] != 0, printed
    assert re.search(LOSES, printed), printed
    matching = {int(number) for number in re.findall(r"workflow (\d+) ended D", printed)}
    assert len(matching) == 1
    assert statuses(api, matching.pop()) == {"D": 4}


def test_a_workflow_is_not_run_twice(middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path) -> None:
    """Whoever comes with its arguments while it runs is refused, with its tasks or with others."""
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
    assert journal(tmp_path) == ["begin a", "end a"]
    [args_hash] = {found[1] for line in middleman.journal if (found := re.search(r"GET /api/v3/workflow/(\d+) ", line))}
    assert len(api.get(f"/workflow/{args_hash}").raise_for_status().json()["matching_workflows"]) == 1
    assert middleman.not_ok == []

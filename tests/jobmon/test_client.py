"""Jobmon's client, unmodified: whole workflows, by Workflow.run()."""

import re
from itertools import count
from pathlib import Path

import httpx

from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import statuses
from tests.jobmon.programs import CURRENT, Started

STUDY = Path(__file__).with_name("study.py")
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
    matching = {int(number) for number in re.findall(r"workflow (\d+) ended D", printed)}
    assert len(matching) == 1
    assert statuses(api, matching.pop()) == {"D": 4}

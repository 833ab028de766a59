"""Jobmon's client, unmodified: whole workflows, by Workflow.run()."""

import re
from itertools import count
from pathlib import Path

import httpx

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, Started
from tests.jobmon.standing import statuses
from tests.support.clusters import load_clusters, without_clusters

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
    workflow_id, status, errors = ended(study(middleman, arguments, "sequential", file, 2))
    assert (status, errors) == ("E", 1)
    assert statuses(api, workflow_id) == {"D": 3, "F": 1, "G": 1}
    file.touch()
    assert ended(study(middleman, arguments, "sequential", file, 2, "resume")) == (workflow_id, "D", 1)
    assert statuses(api, workflow_id) == {"D": 5}
    again = study(middleman, arguments, "sequential", file, 2)
    assert again.wait(60) != 0
    assert "WorkflowAlreadyComplete" in again.printed()
    assert middleman.not_ok == []


def test_a_wide_diamond_of_jobs_side_by_side(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "there"
    file.touch()
    workflow_id, status, errors = ended(study(middleman, next(_ARGUMENTS), "multiprocess", file, 6))
    assert (status, errors) == ("D", 0)
    assert statuses(api, workflow_id) == {"D": 9}
    assert middleman.not_ok == []


def test_a_workflow_on_a_cluster_that_was_loaded(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    file = tmp_path / "there"
    file.touch()
    load_clusters()
    try:
        workflow_id, status, errors = ended(study(middleman, next(_ARGUMENTS), "two-at-once/small.q", file, 2))
    finally:
        without_clusters()
    assert (status, errors) == ("D", 0)
    assert statuses(api, workflow_id) == {"D": 5}
    assert middleman.not_ok == []


def test_of_two_clients_with_one_workflow_one_runs_it(middleman: Middleman, api: httpx.Client, tmp_path: Path) -> None:
    file, arguments = tmp_path / "there", next(_ARGUMENTS)
    file.touch()
    both = [study(middleman, arguments, "sequential", file, 1) for _ in range(2)]
    codes = sorted(program.wait(200) for program in both)
    printed = "\n".join(program.printed() for program in both)
    assert codes[0] == 0, printed
    assert codes[1] != 0, printed
    matching = {int(number) for number in re.findall(r"workflow (\d+) ended D", printed)}
    assert len(matching) == 1
    assert statuses(api, matching.pop()) == {"D": 4}

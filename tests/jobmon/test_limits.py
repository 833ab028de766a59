"""Jobmon's client, unmodified, lets no more tasks run at once than a workflow or a template may."""

from itertools import accumulate
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.jobmon.commands import journal, work
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import statuses
from tests.jobmon.plan import Plan, Task

LIMIT = 2


def most_at_once(directory: Path) -> int:
    """How many commands were under way at once, by what they noted."""
    return max(accumulate(1 if line.startswith("begin ") else -1 for line in journal(directory)))


@pytest.mark.parametrize(
    "limited",
    [
        pytest.param({"settings": {"max_concurrently_running": LIMIT}}, id="workflow"),
        pytest.param({"limits": {"step": LIMIT}}, id="template"),
    ],
)
def test_a_limit_is_reached_and_never_exceeded(
    limited: dict[str, Any], middleman: Middleman, api: httpx.Client, forks: str, tmp_path: Path
) -> None:
    """Each task waits for another one, so two run at once if two may."""
    tasks = [Task(name, work(tmp_path, name, together=LIMIT)) for name in "abcdef"]

    end = Plan(tmp_path, tasks, cluster=forks, queue="small.q", **limited).run(middleman)

    assert end.status == "D"
    assert statuses(api, end.workflow_id) == {"D": len(tasks)}
    assert most_at_once(tmp_path) == LIMIT
    assert middleman.not_ok == []

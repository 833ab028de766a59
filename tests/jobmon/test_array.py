"""Jobmon's distributor, unmodified, with the plugins that it brings, works through an array."""

import pytest

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, EARLIER, Programs
from tests.jobmon.workflow import Workflow

NAMES = [f"t{number:02d}" for number in range(10)]
FAILS_ONCE, SHORT_OF_MEMORY_ONCE, ALWAYS_FAILS = NAMES[:2], NAMES[2:4], NAMES[4:6]
MAX_ATTEMPTS = 3


def _command(workflow: Workflow, name: str) -> str:
    if name in SHORT_OF_MEMORY_ONCE:
        return workflow.work(name, resource_errors=1)
    return workflow.work(name, failures=1 if name in FAILS_ONCE else MAX_ATTEMPTS if name in ALWAYS_FAILS else 0)


def _ends(name: str) -> str:
    """The statuses in which its instances end, in order."""
    if name in SHORT_OF_MEMORY_ONCE:
        return "ZD"
    return "ED" if name in FAILS_ONCE else "EEE" if name in ALWAYS_FAILS else "D"


@pytest.mark.parametrize(
    ("jobmon", "plugin"),
    [
        pytest.param(CURRENT, "multiprocess", id="3.4.8-multiprocess"),
        pytest.param(CURRENT, "sequential", id="3.4.8-sequential"),
        pytest.param(EARLIER, "sequential", id="3.2.2-sequential"),
    ],
)
def test_until_every_task_is_done_or_has_failed(
    jobmon: Programs, plugin: str, workflow: Workflow, middleman: Middleman
) -> None:
    task_ids = workflow.bind(*(_command(workflow, name) for name in NAMES), max_attempts=MAX_ATTEMPTS)
    workflow.queue()

    distributor = jobmon.distributor(workflow.run_id, plugin, api=middleman.url)

    assert workflow.run_until("D", "F", seconds=250) == {"D": len(NAMES) - 2, "F": 2}
    assert distributor.runs(), distributor.printed()
    distributor.kill()
    for task_id, name in zip(task_ids, NAMES, strict=True):
        ends = _ends(name)
        instances = [task_id * 1000 + number for number in range(1, len(ends) + 1)]
        assert [workflow.instance(number)["task_instance"]["status"] for number in instances] == list(ends)
        assert workflow.runs(name) == instances
        assert workflow.tasks()[task_id].num_attempts == len(ends)
        for number, end in zip(instances, ends, strict=True):
            said = " ".join(workflow.errors(number))
            assert {"D": said == "", "E": f"{name} fails" in said, "Z": "out of memory" in said}[end]
    assert workflow.overlaps == []
    assert middleman.not_ok == []
    started = middleman.requests["POST /api/v3/task_instance/#/log_running"]
    assert started == len(NAMES) + 2 + 2 + 2 * 2, "\n".join(middleman.journal)
    print(jobmon, plugin, *sorted(middleman.requests.items()), sep="\n")  # noqa: T201  # docs/jobmon.md

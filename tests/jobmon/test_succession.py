"""A distributor whose machine fails midway, with all that runs on it; a second one takes the run over."""

import pytest

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, EARLIER, Programs
from tests.jobmon.workflow import Workflow

NAMES = [f"t{number:02d}" for number in range(14)]


@pytest.mark.parametrize(
    ("jobmon", "plugin"),
    [
        pytest.param(CURRENT, "multiprocess", id="3.4.8-multiprocess"),
        pytest.param(EARLIER, "multiprocess", id="3.2.2-multiprocess"),
    ],
)
def test_every_task_is_done(jobmon: Programs, plugin: str, workflow: Workflow, middleman: Middleman) -> None:
    task_ids = workflow.bind(*(workflow.work(name, seconds=0.2) for name in NAMES), max_attempts=3)
    workflow.queue()
    first = jobmon.distributor(workflow.run_id, plugin, api=middleman.url)
    while workflow.turn()["D"] < 4:
        assert first.runs(), first.printed()
    first.kill()
    assert workflow.turn()["D"] < len(NAMES)

    second = jobmon.distributor(workflow.run_id, plugin, api=middleman.url)

    assert workflow.run_until("D", seconds=200) == {"D": len(NAMES)}
    assert second.runs(), second.printed()
    second.kill()
    assert "has no attribute" not in second.printed()
    abandoned = 0
    for (task_id, task), name in zip(sorted(workflow.tasks().items()), NAMES, strict=True):
        instances = [task_id * 1000 + number for number in range(1, task.num_instances + 1)]
        ends = [workflow.instance(number)["task_instance"]["status"] for number in instances]
        assert ends in (["D"], ["E", "D"], ["U", "D"])
        assert set(workflow.runs(name)) <= set(instances)
        assert len(workflow.runs(name)) == len(set(workflow.runs(name)))
        for number in instances[:-1]:
            abandoned += 1
            assert "its distributor is gone" in " ".join(workflow.errors(number))
    if plugin == "sequential":
        assert abandoned <= 1, "what was taken and not launched is taken again at no attempt's cost"
    else:
        assert abandoned > 0
    assert task_ids == sorted(workflow.tasks())
    assert workflow.overlaps == []
    assert middleman.not_ok == []

"""The documents' examples: a program that runs a workflow; a seeded run, and a distributor that is pointed at it."""

import time

from local.seed import Seed, load
from local.template import ROOT
from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT
from tests.jobmon.workflow import Workflow


def test_a_program_runs_a_workflow(middleman: Middleman) -> None:
    program = CURRENT.start("python", ROOT / "docs/diamond.py", api=middleman.url, PYTHONUTF8="1", USER="ann")
    assert program.wait(200) == 0, program.printed()
    assert "workflow D: D means" in program.printed()
    assert middleman.not_ok == []


def test_a_seeded_run_is_worked_through(workflow: Workflow, middleman: Middleman) -> None:
    seed = Seed.model_validate_json((ROOT / "docs/hello.json").read_bytes())
    load(seed)
    ids = [instance.task_instance_id for instance in seed.task_instances]

    distributor = CURRENT.distributor(8000, "multiprocess", api=middleman.url)

    while any(workflow.instance(number)["task_instance"]["status"] != "D" for number in ids):
        assert distributor.runs(), distributor.printed()
        time.sleep(0.2)
    printed = [workflow.instance(number)["task_instance"]["stdout_log"] for number in ids]
    assert printed == [f"hello from {number}\n" for number in ids]

"""Jobmon's worker node, unmodified."""

from itertools import product

import pytest

from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, PEERS, Programs, wait_for
from tests.jobmon.workflow import Workflow

WORKER_NODE_CLI_FAILURE = 199


@pytest.mark.parametrize("jobmon", PEERS)
def test_a_job(jobmon: Programs, workflow: Workflow, middleman: Middleman) -> None:
    [number] = workflow.launch(workflow.work("a"))

    node = jobmon.worker_node(number, api=middleman.url)

    assert node.wait() == 0, node.printed()
    found = workflow.instance(number)
    assert (found["task_instance"]["status"], found["task"]["status"]) == ("D", "D")
    assert found["task_instance"]["stdout_log"] == "run 1 of a\n"
    assert found["task_instance"]["nodename"]
    assert found["task_instance"]["process_group_id"]
    assert workflow.runs("a") == [number]
    assert middleman.not_ok == []


@pytest.mark.parametrize("jobmon", PEERS)
def test_a_command_that_outlives_heartbeats(jobmon: Programs, workflow: Workflow, middleman: Middleman) -> None:
    [number] = workflow.launch(workflow.work("a", seconds=3.5))

    node = jobmon.worker_node(number, api=middleman.url)
    wait_for(lambda: middleman.requests["POST /api/v3/task_instance/#/log_report_by"] >= 2)

    assert workflow.turn() == {"R": 1}
    assert node.wait() == 0
    assert workflow.instance(number)["task_instance"]["status"] == "D"


@pytest.mark.parametrize("jobmon", PEERS)
def test_killed_while_it_runs(jobmon: Programs, workflow: Workflow, middleman: Middleman) -> None:
    [number] = workflow.launch(workflow.work("a", seconds=60))
    node = jobmon.worker_node(number, api=middleman.url)
    wait_for(lambda: workflow.runs("a"))

    reply = workflow.client.put(f"/workflow_run/{workflow.run_id}/terminate_task_instances", json={})

    assert reply.json() == {"workflow_run_id": workflow.run_id, "num_terminated": 1}
    node.wait()
    found = workflow.instance(number)
    assert (found["task_instance"]["status"], found["task"]["status"]) == ("F", "F")
    resumed, killed = workflow.errors(number)
    assert resumed == "Workflow resume requested. Setting to KILL_SELF from status: R"
    assert "got KILL_SELF event" in killed


@pytest.mark.parametrize("jobmon", PEERS)
def test_triaged_and_back(jobmon: Programs, workflow: Workflow, middleman: Middleman) -> None:
    [number] = workflow.launch(workflow.work("a", seconds=3))
    node = jobmon.worker_node(
        number,
        api=middleman.url,
        JOBMON__HEARTBEAT__TASK_INSTANCE_INTERVAL="2",
        JOBMON__HEARTBEAT__REPORT_BY_BUFFER="0.1",
    )
    wait_for(lambda: workflow.runs("a"))

    wait_for(lambda: workflow.turn() and workflow.instance(number)["task_instance"]["status"] == "T")
    wait_for(lambda: workflow.instance(number)["task_instance"]["status"] == "R")

    assert node.wait() == 0
    assert workflow.instance(number)["task_instance"]["status"] == "D"
    assert workflow.runs("a") == [number]


@pytest.mark.parametrize(
    ("route", "failures"),
    [
        *product(("log_running", "log_report_by"), (0, 1)),
        ("log_done", 0),
        ("log_error_worker_node", 1),
    ],
)
def test_a_lost_reply(route: str, failures: int, workflow: Workflow, middleman: Middleman) -> None:
    """It is sent again, and it is as if it had been sent once."""
    [number] = workflow.launch(workflow.work("a", failures=failures, seconds=1.2))
    middleman.lose_answer(route)

    assert CURRENT.worker_node(number, api=middleman.url).wait() == 0

    assert workflow.runs("a") == [number]
    assert workflow.instance(number)["task_instance"]["status"] == "DE"[failures]
    assert workflow.errors(number) == ["a fails\n"] * failures
    assert middleman.requests[f"POST /api/v3/task_instance/#/{route}"] >= 2


@pytest.mark.parametrize("jobmon", PEERS)
def test_two_worker_nodes_on_one_instance(jobmon: Programs, workflow: Workflow, middleman: Middleman) -> None:
    [number] = workflow.launch(workflow.work("a", seconds=2.5))

    nodes = [jobmon.worker_node(number, api=middleman.url) for _ in range(2)]

    assert sorted(node.wait() for node in nodes) == [0, WORKER_NODE_CLI_FAILURE]
    assert workflow.runs("a") == [number]
    assert workflow.instance(number)["task_instance"]["status"] == "D"

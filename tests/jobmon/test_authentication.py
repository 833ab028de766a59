"""Jobmon's programs carry a token in their service URL: they can be given nothing else."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lockstep.access.scopes import Scope
from tests.jobmon.middleman import Middleman
from tests.jobmon.programs import CURRENT, PEERS, Programs, kill_all
from tests.jobmon.workflow import Workflow
from tests.support.guarded import Guarded


@pytest.fixture
def workflow(guarded: Guarded, tmp_path: Path) -> Iterator[Workflow]:
    with guarded.client(guarded.token(Scope.OPERATOR)) as client:
        yield Workflow(client, tmp_path)
        kill_all()


@pytest.mark.parametrize("jobmon", PEERS)
def test_a_worker_node_with_its_runs_token_runs(jobmon: Programs, guarded: Guarded, workflow: Workflow) -> None:
    [instance] = workflow.launch(f"exec touch {workflow.directory}/ran")
    node = jobmon.worker_node(instance, api=guarded.with_token(guarded.token(Scope.WORKER, workflow.run_id)))
    assert node.wait() == 0, node.printed()
    assert workflow.instance(instance)["task_instance"]["status"] == "D"
    assert (workflow.directory / "ran").exists()


@pytest.mark.parametrize("credentials", ["another run's", "expired", "none"])
def test_a_worker_node_without_a_good_one_runs_nothing(guarded: Guarded, workflow: Workflow, credentials: str) -> None:
    [instance] = workflow.launch(f"exec touch {workflow.directory}/ran")
    urls = {
        "another run's": guarded.with_token(guarded.token(Scope.WORKER, workflow.run_id + 1)),
        "expired": guarded.with_token(guarded.expired(Scope.WORKER)),
        "none": guarded.url,
    }
    node = CURRENT.worker_node(instance, api=urls[credentials])
    assert node.wait() != 0
    assert workflow.instance(instance)["task_instance"]["status"] == "O"
    assert not (workflow.directory / "ran").exists()


@pytest.mark.parametrize("jobmon", PEERS)
def test_a_distributor_and_its_workers_share_a_token(jobmon: Programs, guarded: Guarded, workflow: Workflow) -> None:
    """They inherit its environment. Heartbeats of what waits on the cluster go by another HTTP client than the rest."""
    workflow.bind(*(["sleep 2"] * 8))
    workflow.queue()
    with httpx.Client(base_url=guarded.url, timeout=30, trust_env=False) as client, Middleman(client) as middleman:
        url = middleman.url.replace("://", f"://somebody:{guarded.token(Scope.DISTRIBUTOR)}@")
        distributor = jobmon.distributor(workflow.run_id, "multiprocess", api=url)
        assert workflow.run_until("D", seconds=60) == {"D": 8}, distributor.printed()
        assert middleman.requests["POST /api/v3/task_instance/log_report_by/batch"]
        assert middleman.not_ok == []
        kill_all()

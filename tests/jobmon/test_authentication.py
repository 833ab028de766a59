"""Jobmon's programs carry a token in their service URL: they can be given nothing else."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from lockstep.access.scopes import Scope
from tests.jobmon.middleman import Middleman
from tests.jobmon.outcomes import Attempt, attempts, statuses
from tests.jobmon.plan import SETTINGS, End, Plan, Task
from tests.jobmon.programs import CURRENT, PEERS, Programs, kill_all, wait_for
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


def test_each_program_of_a_workflow_has_a_token_of_its_own_scope(guarded: Guarded, forks: str, tmp_path: Path) -> None:
    """Each sends through a middleman of its own, so that no request of one goes by another one's token."""
    tasks = [
        Task("fails", "echo $JOBMON_TASK_INSTANCE_ID >&2; exit 1", max_attempts=2),
        Task("a", "echo hello; sleep 2"),
    ]
    plan = Plan(tmp_path, [*tasks, Task("b", after=["a"])], forks, "small.q")
    operator, started = guarded.token(Scope.OPERATOR), tmp_path / "started"
    with ExitStack() as stack:
        api = stack.enter_context(guarded.client(operator))
        through = httpx.Client(base_url=guarded.url, timeout=30, trust_env=False, limits=httpx.Limits())
        stack.enter_context(through)
        client, distributor, workers = (stack.enter_context(Middleman(through)) for _ in range(3))
        stack.callback(kill_all)
        program = plan.start(client, url=with_token(client, operator), apart=str(started))
        wait_for(lambda: "is bound" in program.printed())
        found = re.search(r"workflow run (\d+) is bound", program.printed())
        assert found
        run_id = int(found[1])
        launched = CURRENT.start(
            "jobmon_distributor",
            *("start", "--cluster_name", forks, "--workflow_run_id", run_id),
            api=with_token(distributor, guarded.token(Scope.DISTRIBUTOR)),
            WORKERS_URL=with_token(workers, guarded.token(Scope.WORKER, run_id)),
            **SETTINGS,
        )
        wait_for(lambda: "ALIVE" in launched.printed())
        started.touch()
        end = End.of(program)
        assert (end.status, statuses(api, end.workflow_id)) == ("E", {"D": 2, "F": 1})
        assert end.errors == {"fails": [f"{end.tasks['fails'] * 1000 + 2}\n"]}
        assert attempts(api, end.tasks["a"]) == [Attempt("D", "hello\n", [])]
        assert [each.not_ok for each in (client, distributor, workers)] == [[], [], []]
        reports = Counter(
            {f"POST /api/v3/task_instance/#/{report}": n for report, n in {"log_running": 4, "log_done": 2}.items()}
        )
        assert reports <= workers.requests
        assert not (reports.keys() & (client.requests | distributor.requests).keys())


def with_token(middleman: Middleman, token: str) -> str:
    return middleman.url.replace("://", f"://somebody:{token}@")

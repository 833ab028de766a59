"""List the tasks of a workflow that are not done, page by page."""

import json

import pytest

from local.meter import Meter
from lockstep.context import request
from lockstep.dynamodb.item import MAX_ID
from lockstep.dynamodb.puts import put_many
from lockstep.http.fields import MAX_TASKS_PER_CALL
from lockstep.task.bound_item import Resources
from lockstep.workflow import resume
from lockstep.workflow.item import TaskRange
from tests.conformance.recording import Player
from tests.support.answers import listening
from tests.support.clusters import without_clusters
from tests.support.linking import WORKFLOWS
from tests.support.seeding import LONG_COMMAND
from tests.support.tools import ask
from tests.support.workflows import Workflow, failed_task, resumed
from tests.support.workflows import page_of_tasks as page


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize(
    ("queue_id", "names"), [(3, ("multiprocess", "null.q")), (5, ("slurm", "long.q")), (6, ("two-at-once", "small.q"))]
)
@pytest.mark.parametrize("command", ["true", LONG_COMMAND], ids=["short", "long"])
def test_a_task_is_of_the_queue_that_was_bound_also_after_it_has_grown(
    player: Player, queue_id: int, names: tuple[str, str], command: str
) -> None:
    resources = ask(player, "POST", "/task/bind_resources", {"queue_id": queue_id, "requested_resources": {"cores": 2}})
    workflow_id = failed_task(player, resources, command)
    assert resumed(player, workflow_id) == [("F", '{"cores": 2}', *names)]
    assert ask(player, "POST", f"/workflow/{workflow_id}/increase_resources")["updated_task_count"] == 1
    assert resumed(player, workflow_id) == [("E", '{"cores": 4}', *names)]


def test_a_task_of_a_queue_that_does_not_exist_is_not_left_out(player: Player) -> None:
    """Nothing binds it. Somebody wrote it, or the item of the clusters is lost."""
    without_clusters()
    Resources(*Resources.key(987_655), queue_id=77, requested_resources={}).save()
    workflow_id = failed_task(player, 987_655)
    status, problem = page(player, workflow_id)
    assert (status, problem["detail"]) == (404, "task resources 987655 are of queue 77, which does not exist")
    Resources(*Resources.key(987_655)).delete()


def test_a_page_is_full_though_a_task_on_it_has_no_resources(player: Player) -> None:
    """Jobmon's client takes a page that is not full for the last one."""
    resources = ask(player, "POST", "/task/bind_resources", {"queue_id": 1, "requested_resources": {}})
    workflow = Workflow(player, 0)
    rows = {
        str(node): [node, "0", workflow.array, bound, "t", "true", 1, False, {}, []]
        for node, bound in enumerate([resources, 987_654, resources, resources], start=1)
    }
    first, _, third, fourth = (number for number, _ in workflow.bind_rows(rows, created=True).values())
    assert pages(player, workflow.id, size=2) == [[first, third], [fourth]]


def pages(player: Player, workflow_id: int, size: int) -> list[list[int]]:
    """The ids of the tasks on each page, read as Jobmon's client does: until a page is not full."""
    read: list[list[int]] = []
    while not read or len(read[-1]) == size:
        after = read[-1][-1] if read else 0
        path = f"/api/v3/workflow/get_tasks/{workflow_id}"
        _, reply = player.send("GET", path, max_task_id=str(after), chunk_size=str(size))
        read.append([int(number) for number in reply["tasks"]])
    return read


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        *[("chunk_size", wrong) for wrong in ("0", "-1", str(MAX_TASKS_PER_CALL + 1), "1_0", " 1", "1.5", "x", "")],
        *[("max_task_id", wrong) for wrong in ("-1", "1_0", "+1", "1.0", "1e3", "x", "", "9" * 5_000, str(2**63))],
        ("chunk_size", None),
        ("max_task_id", None),
    ],
)
def test_what_does_not_fit_is_named(player: Player, field: str, wrong: str | None) -> None:
    query = {"max_task_id": "0", "chunk_size": "10", field: wrong}
    sent = {name: value for name, value in query.items() if value is not None}
    status, problem = player.send("GET", "/api/v3/workflow/get_tasks/1", **sent)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, [field])


@pytest.mark.parametrize("after", [MAX_ID, MAX_ID + 1, 10**16, 2**63 - 1])
def test_no_task_follows_the_last_id_that_may_be(player: Player, after: int) -> None:
    workflow_id = failed_task(player, 1)
    path = f"/api/v3/workflow/get_tasks/{workflow_id}"
    assert player.send("GET", path, max_task_id=str(after), chunk_size="10") == (200, {"tasks": {}})


def test_a_page_that_fits_no_reply_is_refused_before_all_of_it_is_read(
    player: Player, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "_ROWS_AT_ONCE", 2)
    sets = [
        ask(player, "POST", "/task/bind_resources", {"queue_id": 1, "requested_resources": {"a": "x" * 59_000}})
        for _ in range(8)
    ]
    workflow = Workflow(player, 0)
    rows = {str(of): [of, "0", workflow.array, of, "t", "true", 1, False, {}, []] for of in sets}
    workflow.bind_rows(rows, created=True)
    assert page(player, workflow.id)[0] == 200
    monkeypatch.setattr(resume, "MAX_REPLY_BYTES", 150_000)
    before = meter.usage()["read_units"]
    status, problem = page(player, workflow.id)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["chunk_size"])
    assert meter.usage()["read_units"] - before < 6 * 60_000 / 4096 / 2, "half of the sets"


def test_a_page_with_more_long_specifications_than_a_call_reads_is_refused_before_one_is_read(
    player: Player, meter: Meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources = ask(player, "POST", "/task/bind_resources", {"queue_id": 1, "requested_resources": {}})
    workflow = Workflow(player, 0)
    commands = ["true", "x" * 300_000, "x" * 300_000]
    rows = {
        str(node): [node, "0", workflow.array, resources, "t", command, 1, False, {}, []]
        for node, command in enumerate(commands, start=1)
    }
    workflow.bind_rows(rows, created=True)
    monkeypatch.setattr(resume, "MOST_APART", 2)
    assert page(player, workflow.id)[0] == 200
    monkeypatch.setattr(resume, "MOST_APART", 1)
    before = meter.usage()["read_units"]
    status, problem = page(player, workflow.id)
    assert (status, [error["field"] for error in problem["errors"]]) == (422, ["chunk_size"])
    assert problem["errors"][0]["message"] == (
        "must be smaller: 2 of these tasks have long specifications, and at most 1 are read"
    )
    assert meter.usage()["read_units"] - before < 300_000 / 4096 / 2, "half of one"


def test_a_page_reads_no_ranges_of_ids_before_its_own(player: Player, meter: Meter) -> None:
    workflow_id = next(WORKFLOWS)
    first = 600_000_001
    with request(60):
        put_many(TaskRange(*TaskRange.key(workflow_id, first + 2 * each), size=2) for each in range(1_000))
    reads = []
    for after in (0, first + 1_997):
        before = meter.usage()["read_units"]
        query = {"max_task_id": str(after), "chunk_size": "500"}
        assert player.send("GET", f"/api/v3/workflow/get_tasks/{workflow_id}", **query)[0] == 200
        reads.append(meter.usage()["read_units"] - before)
    assert reads[1] < 5 < reads[0]


def test_no_command_is_read_for_a_page(player: Player) -> None:
    """1,000 of them may take 320 MB."""
    resources = ask(player, "POST", "/task/bind_resources", {"queue_id": 1, "requested_resources": {}})
    workflow_id = failed_task(player, resources, LONG_COMMAND)
    texts: list[str] = []
    with listening("after-call.dynamodb.BatchGetItem", lambda parsed, **_: texts.append(json.dumps(parsed))):
        assert len(resumed(player, workflow_id)) == 1
    assert texts
    assert LONG_COMMAND not in "".join(texts)

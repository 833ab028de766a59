"""A workflow run as a whole: what its distributor polls, what its client sweeps, and how a resume ends it."""

from collections.abc import Callable
from typing import Any

import pytest

from lockstep.array.item import Batch, NextCheck
from lockstep.array.last_seen import note
from lockstep.array.queue import GROWS_SECONDS
from lockstep.clock import HEARTBEAT_BUFFER_SECONDS, Deadline, now
from lockstep.context import request
from lockstep.dynamodb.client import transact
from lockstep.task_instance.read import read_instances, read_instances_of_run
from lockstep.workflow_run import sweep as sweeping
from lockstep.workflow_run.read import read_run
from sim import requests
from tests.conformance.recording import Player
from tests.support.answers import answering, error, listening
from tests.support.linking import ask, linked_run
from tests.support.seeding import batch, run_of
from tests.support.workflows import POLLED, Run, Workflow, rows, run_with

ENDED = list("DEUZWF")


@pytest.fixture
def player(table_in_memory: None) -> Player:
    """Calls the functions on an empty table in memory: but for what breaks off, or listens to HTTP."""
    assert table_in_memory is None
    return Player()


@pytest.mark.parametrize("status", POLLED)
def test_a_poll_that_lists_nothing_hears_of_all_in_a_status(player: Player, status: str) -> None:
    statuses = "QIORTKXDEUZWF" * 2
    run, ids = run_with(player, statuses)
    assert run.poll(status) == {status: [ids[step] for step in range(len(ids)) if statuses[step] == status]}


@pytest.mark.parametrize("status", POLLED)
def test_a_poll_hears_what_left_and_what_came(player: Player, status: str) -> None:
    statuses = "QIORTKXDEUZWF"
    run, ids = run_with(player, statuses * 2)
    listed, others = ids[: len(statuses)], ids[len(statuses) :]
    heard = {letter: [number] for letter, number in zip(statuses, listed, strict=True)}
    assert run.poll(status, *listed, 12, 999_999_001) == heard | {status: [others[statuses.index(status)]]}


@pytest.mark.parametrize("status", ENDED)
def test_what_has_ended_is_told_of_if_it_is_listed(player: Player, status: str) -> None:
    run, ids = run_with(player, status + "R")
    assert run.poll(status, ids[1]) == {"R": [ids[1]]}
    assert run.poll("R", *ids) == {status: [ids[0]]}


def test_a_poll_is_of_its_run_alone(player: Player) -> None:
    run, ids = run_with(player, "R")
    _, others = run_with(player, "RD")
    assert run.poll("R", *others) == {"R": ids}


def test_a_batch_with_instances_of_two_runs(player: Player) -> None:
    ids = batch(*rows("RR"), *rows("RR", report_by_in=-1, workflow_run_id=99_000_001))
    one, other = Run(player, run_of(ids[0])), Run(player, 99_000_001)
    assert (one.poll("R"), other.poll("R")) == ({"R": ids[:2]}, {"R": ids[2:]})
    one.sweep()
    other.sweep()
    assert (one.poll("T"), other.poll("T")) == ({}, {"T": ids[2:]})
    assert (one.terminate(), other.terminate()) == (2, 0)


def _bound(player: Player) -> tuple[Workflow, Run, list[int]]:
    """60 tasks, and a run."""
    workflow = Workflow(player, 60, command="true")
    return workflow, Run(player, workflow.run), [task_id for task_id, _ in workflow.bind().values()]


def test_a_batch_that_still_grows_is_not_told_of(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """The distributor counts the steps of what it is told: a part of a batch would be the wrong steps."""
    workflow, run, task_ids = _bound(player)
    polled: list[dict[str, list[int]]] = []

    def poll_after(*arguments: Any) -> None:
        transact(*arguments)
        polled.append(run.poll("Q"))

    monkeypatch.setattr("lockstep.array.queue.transact", poll_after)
    workflow.send_queue(task_ids)
    assert [len(updates.get("Q", [])) for updates in polled] == [0, 60]


def test_a_batch_whose_queueing_broke_off_is_told_of_later(
    engine_player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow, run, task_ids = _bound(engine_player)
    throttled = error("ProvisionedThroughputExceededException")
    with answering("TransactWriteItems", None, throttled, throttled) as left:
        monkeypatch.setattr(Deadline, "passed", lambda _: not left)
        assert workflow.send_queue(task_ids)[0] == 503
    monkeypatch.undo()
    assert run.poll("Q") == {}
    later = now() + GROWS_SECONDS
    monkeypatch.setattr("lockstep.array.run_index.now", lambda: later)
    assert len(run.poll("Q")["Q"]) == 49
    monkeypatch.undo()
    assert workflow.send_queue(task_ids)[0] == 200
    monkeypatch.setattr("lockstep.array.run_index.now", lambda: later)
    assert len(run.poll("Q")["Q"]) == 60


def test_a_repeated_word_of_the_same_distributor_is_no_succession(player: Player) -> None:
    run, ids = run_with(player, "I")
    assert run.move("I", "I", "O") == "O"
    assert run.poll("I") == {"I": ids}


def test_what_is_overdue_is_triaged(player: Player) -> None:
    run, ids = run_with(player, "ORTKXQI", report_by_in=-1)
    ahead, ids_ahead = run_with(player, "OR", report_by_in=60)
    never_due, ids_never_due = run_with(player, "OR", report_by_in=None)
    for each in (run, ahead, never_due):
        each.sweep()
    assert run.pairs(ids) == ["OO", "TR", "TR", "KR", "XO", "QQ", "II"], "what is launched may wait for two buffers"
    assert ahead.pairs(ids_ahead) == never_due.pairs(ids_never_due) == ["OO", "RR"]


def test_what_was_launched_long_ago_and_never_reported(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ids = run_with(player, "OO", report_by_in=-1)
    monkeypatch.setattr(sweeping, "LAUNCH_SECONDS", 0)
    _look_at_once(ids[0])
    assert _beat(player, ids[1]) == "O"
    run.sweep()
    assert run.pairs(ids) == ["XO", "OO"]
    assert run.poll("X") == {"X": ids[:1]}


def _look_at_once(task_instance_id: int) -> None:
    """As when its batch's time has come."""
    item = Batch(*Batch.key(run_of(task_instance_id), 1))
    item.update([Batch.attention.set(str(NextCheck(0, waiting=True)))])


def _beat(player: Player, number: int, increment: float = HEARTBEAT_BUFFER_SECONDS) -> str:
    return str(ask(player, requests.log_report_by(number, increment))["status"])


def test_a_heartbeat_that_promises_another_soon_is_held_to_it(player: Player) -> None:
    run, ids = run_with(player, "RR")
    assert _beat(player, ids[0], -1) == "R"
    run.sweep()
    assert run.pairs(ids) == ["TR", "RR"]
    assert _beat(player, ids[0], -1) == "R"
    run.sweep()
    assert run.pairs(ids) == ["TR", "RR"]


def test_a_start_that_promises_a_report_soon_is_held_to_it(player: Player) -> None:
    run, ids = run_with(player, "OO")
    run.ask(requests.log_running(ids[0], "n", 1, -1))
    run.sweep()
    assert run.pairs(ids) == ["TR", "OO"]


def test_a_heartbeat_in_the_middle_of_a_sweep_wins(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ids = run_with(player, "R", report_by_in=-1)

    def beat_after(*arguments: Any) -> Any:
        found = read_instances_of_run(*arguments)
        _beat(player, ids[0])
        return found

    monkeypatch.setattr("lockstep.workflow_run.sweep.read_instances_of_run", beat_after)
    run.sweep()
    assert run.pairs(ids) == ["RR"]
    monkeypatch.undo()
    _beat(player, ids[0], -1)
    run.sweep()
    assert run.pairs(ids) == ["TR"]


def test_what_nobody_settles_is_settled(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ids = run_with(player, "TXK", report_by_in=-1)
    alive, ids_alive = run_with(player, "TXK", report_by_in=60)
    run.sweep()
    assert run.pairs(ids) == ["TR", "XO", "KR"]
    monkeypatch.setattr(sweeping, "ABANDONED_SECONDS", 0)
    run.sweep()
    alive.sweep()
    assert run.pairs(ids) == ["UG", "EG", "FF"]
    assert alive.pairs(ids_alive) == ["TR", "EG", "KR"], "a worker node that reports may still settle it itself"
    assert [run.poll(status) for status in "TXK"] == [{}] * 3
    for number in ids:
        [[_, _, said]] = run.errors(number)
        assert "its distributor is gone" in said


def test_a_batch_that_has_ended_is_not_looked_at_again(player: Player) -> None:
    run, ids = run_with(player, "RD", report_by_in=-1)
    run.sweep()
    player.send("POST", f"/api/v3/task_instance/{ids[0]}/log_done", "{}")
    item = Batch(*Batch.key(run.id, 1))
    _look_at_once(ids[0])
    run.sweep()
    item.refresh()
    assert item.seen == "DD"
    assert not item.attention


@pytest.mark.parametrize(("status", "stands"), [("H", "FQ FF KO RR"), ("C", "FQ FF KO KR"), (None, "FQ FF KO KR")])
def test_a_resume_ends_a_run(player: Player, status: str | None, stands: str) -> None:
    run, ids = run_with(player, "QIORTXKDE")
    if status:
        assert run.move("I", "O", "R", status) == status
    assert run.terminate() == stands.count("K") + 2
    assert run.pairs(ids) == [*stands.split(), "TR", "XO", "KR", "DD", "EG"]
    for number, letter in zip(ids, "QIOR", strict=False):
        to = {"Q": "ERROR_FATAL", "I": "ERROR_FATAL"}.get(letter, "KILL_SELF")
        beside = " (no worker to clean up)" if to == "ERROR_FATAL" else ""
        said = [f"Workflow resume requested. Setting to {to} from status: {letter}{beside}"]
        assert [row[2] for row in run.errors(number)] == (said if letter != "R" or status != "H" else [])
    assert run.terminate() == 0


def test_an_instance_whose_task_has_ended_is_laid_to_rest(player: Player) -> None:
    run, ids = run_with(player, "QIR", task={"status": "D"})
    assert run.terminate() == 3
    assert run.pairs(ids) == ["FD", "FD", "KD"]


def test_a_termination_that_breaks_off_is_done_by_another(
    engine_player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ids = run_with(engine_player, "Q" * 50 + "R" * 50)
    throttled = error("ProvisionedThroughputExceededException")
    with answering("TransactWriteItems", None, throttled, throttled, throttled, throttled) as left:
        monkeypatch.setattr(Deadline, "passed", lambda _: len(left) < 4)
        code, _ = run.send("PUT", "terminate_task_instances")
    monkeypatch.undo()
    assert code == 503
    assert 0 < run.terminate() < 100
    assert run.pairs(ids) == ["FQ"] * 50 + ["KR"] * 50
    assert all(len(run.errors(number)) == 1 for number in ids)


def test_a_sweep_that_breaks_off_is_done_by_another(engine_player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    run, ids = run_with(engine_player, "R" * 120, report_by_in=-1)
    throttled = error("ProvisionedThroughputExceededException")
    with answering("TransactWriteItems", None, throttled, throttled, throttled, throttled) as left:
        monkeypatch.setattr(Deadline, "passed", lambda _: len(left) < 4)
        assert run.send("POST", "set_status_for_triaging")[0] == 503
    monkeypatch.undo()
    run.sweep()
    assert run.poll("T") == {"T": ids}


def test_many_small_batches(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client makes one for each set of resources that it asks for."""
    ids = [batch({"status": status, "workflow_run_id": 99_000_100})[0] for status in "QR" * 150]
    run = Run(player, 99_000_100)
    monkeypatch.setattr(Deadline, "spent", lambda *_: False)  # a busy machine may stop 280 of them in time
    monkeypatch.setattr(Deadline, "passed", lambda _: False)
    assert run.poll("Q") == {"Q": ids[::2]}
    assert run.poll("R") == {"R": ids[1::2]}
    assert run.terminate() == 300
    assert run.terminate() == 0
    assert run.poll("K") == {"K": ids[1::2]}
    assert run.poll("K", *ids) == {"F": ids[::2]}


def test_a_heartbeat_in_the_middle_of_a_sweep_is_held_to_what_it_promises(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ids = run_with(player, "RR", report_by_in=200)
    _look_at_once(ids[0])

    def beat_after(*arguments: Any) -> Any:
        found = read_instances_of_run(*arguments)
        _beat(player, ids[0], -1)
        return found

    monkeypatch.setattr("lockstep.workflow_run.sweep.read_instances_of_run", beat_after)
    run.sweep()
    monkeypatch.undo()
    run.sweep()
    assert run.pairs(ids) == ["TR", "RR"]


def test_a_note_in_the_middle_of_a_heartbeat_does_not_put_off_what_it_promises(
    engine_player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ids = run_with(engine_player, "RR", report_by_in=200)
    _look_at_once(ids[0])
    notes: list[Callable[[], None]] = []

    def note_meanwhile(http_response: Any, **_: Any) -> None:
        if http_response.status_code == 400 and notes:
            notes.pop()()

    def beat_first(*looked: Any) -> None:
        notes.append(lambda: note(*looked))
        with listening("after-call.dynamodb.UpdateItem", note_meanwhile):
            assert _beat(engine_player, ids[0], -1) == "R"

    monkeypatch.setattr("lockstep.array.last_seen.note", beat_first)
    run.sweep()
    assert not notes, "the batch was overdue as the heartbeat found it, and not any more as it was written"
    monkeypatch.undo()
    run.sweep()
    assert run.pairs(ids) == ["TR", "RR"]


def test_what_a_cheap_read_shows_wrongly_is_not_told(player: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """A distributor submits again what it is told of wrongly; one that succeeded another ends over it."""
    run, ids = run_with(player, "QK")

    def lag(*arguments: Any, consistent: bool = False) -> Any:
        found = read_instances(*arguments, consistent=consistent)
        if not consistent:
            for instance in found.values():
                instance.status = "Q"
        return found

    run.ask(requests.instantiate(ids[:1]))
    monkeypatch.setattr("lockstep.workflow_run.poll.read_instances", lag)
    assert run.poll("Q") == {}
    assert run.poll("I", ids[0]) == {}
    monkeypatch.undo()
    run.move("I", "O")
    with request():
        cheap = read_run(run.id)
    run.move("I")
    monkeypatch.setattr(
        "lockstep.workflow_run.poll.read_run",
        lambda *arguments, consistent=False: read_run(*arguments, consistent=True) if consistent else cheap,
    )
    assert run.poll("K") == {}


def test_what_nobody_settles_is_settled_though_its_task_was_reset(
    player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, ids = run_with(player, "TXK", report_by_in=-1, task={"status": "G"})
    monkeypatch.setattr(sweeping, "ABANDONED_SECONDS", 0)
    run.sweep()
    assert run.pairs(ids) == ["UG", "EG", "FG"]


def test_a_run_moves_by_its_table(player: Player) -> None:
    run = Run(player, linked_run(player))
    assert [run.move(status) for status in "DBBIORRCRT"] == list("LBBIORRCCT")
    assert run.ask(requests.beat_run(run.id, 90)) == {"status": "T"}


def test_a_heartbeat_moves_a_run_and_hears_of_a_resume(player: Player) -> None:
    run, _ = run_with(player, "D")
    run.move("I", "O")
    assert run.ask(requests.beat_run(run.id, 90)) == {"status": "R"}
    assert run.move("H") == "H"
    assert run.ask(requests.beat_run(run.id, 90)) == {"status": "H"}


@pytest.mark.parametrize("status", "DEST")
def test_nothing_of_a_run_that_has_ended_is_taken(player: Player, status: str) -> None:
    workflow, run, task_ids = _bound(player)
    run.move("B", "I", "O", "R")
    assert workflow.send_queue(task_ids)[0] == 200
    ids = [task_id * 1000 + 1 for task_id in task_ids]
    if status == "T":
        run.move("C")
    assert run.move(status) == status
    stood = run.pairs(ids)
    assert run.ask(requests.instantiate(ids)) == {"task_instance_batches": []}
    assert run.pairs(ids) == stood


def test_what_was_taken_before_its_run_ended_is_told_again(player: Player) -> None:
    run, ids = run_with(player, "QQ")
    run.move("I", "O", "R")
    first = run.ask(requests.instantiate(ids))
    assert run.move("E") == "E"
    assert run.ask(requests.instantiate(ids)) == first


def test_of_two_runs_only_the_one_that_goes_on_is_taken(player: Player) -> None:
    (ended, its_ids), (other, other_ids) = run_with(player, "QQ"), run_with(player, "QQ")
    ended.move("I", "O", "R", "E")
    reply = other.ask(requests.instantiate(its_ids + other_ids))
    assert [members for *_, members in reply["task_instance_batches"]] == [other_ids]
    assert (ended.pairs(its_ids), other.pairs(other_ids)) == (["QQ"] * 2, ["II"] * 2)

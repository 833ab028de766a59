"""Changes as a stream, on the engine: whole lives give the events that the table's history says; `make events`."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import pytest
from jsonschema import Draft202012Validator
from moto.events.models import EventPattern

from local import follow_events
from local.engine import client, create_table
from local.events_document import A_LIFE
from local.follow_events import BOTH_IMAGES, CannotFollowError, Stream, following
from local.gateway import invoke, load_handler
from local.template import ROOT, Template
from lockstep.dynamodb.item import Item, Key
from lockstep.task.item import Task
from lockstep.task_instance.item import TaskInstance, split_task_instance_id
from lockstep.workflow.item import Workflow
from lockstep.workflow_run.item import WorkflowRun
from tests.conformance.recording import Player
from tests.support.life import History, Life
from tests.support.serving import run_alone

FILTERS: Final[list[Any]] = [EventPattern.load(pattern) for pattern in Template().filters]
Told = tuple[dict[str, Any], dict[str, Any] | None]
"""A record, and the event that tells of it."""


@pytest.fixture
def stream(table: str) -> Iterator[Stream]:
    with following(table, Item.Meta.table_name) as stream:
        yield stream


@pytest.fixture
def life(table: str, stream: Stream) -> Life:
    assert isinstance(stream, Stream), "it is followed by now"
    return Life(Player(), client(table))


def told(stream: Stream) -> list[Told]:
    """All records since the last look, each with what the function makes of it as Lambda calls it."""
    handler: Any = load_handler("tell_changes")
    found: list[Told] = []
    while records := stream.read():
        for record in records:
            events = json.loads(invoke(handler, json.dumps([record]), "tell_changes"))
            found.append((record, events[0] if events else None))
    return found


def events_of(found: list[Told]) -> list[dict[str, Any]]:
    return [event for _, event in found if event]


def by_item(events: list[dict[str, Any]]) -> History:
    found: History = defaultdict(list)
    for event in events:
        found[key_of(event)].append((event["detail"]["from"], event["detail"]["to"]))
    return found


def key_of(event: dict[str, Any]) -> Key:
    ids = event["detail"]
    match event["detail-type"]:
        case "Task Instance Status Change":
            instance = split_task_instance_id(ids["task_instance_id"])
            assert instance
            return TaskInstance.key(instance)
        case "Task Status Change":
            return Task.key(ids["task_id"])
        case "Workflow Run Status Change":
            return WorkflowRun.key(ids["workflow_run_id"])
        case "Workflow Status Change":
            return Workflow.key(ids["workflow_id"])
    raise AssertionError(event)


@pytest.fixture
def whole_life(life: Life, stream: Stream) -> list[Told]:
    """One task is done at once, one fails once, one fails to the end; a resume lets that one start over."""
    tasks = life.begin(3, max_attempts=2)
    good, second, bad = life.queue(tasks)
    for attempt in (good, second, bad):
        life.start(attempt)
    life.end(good)
    life.fail(second)
    life.fail(bad, "Z")
    life.heartbeat("R")
    again, last = life.queue(tasks[1:])
    for attempt in (again, last):
        life.start(attempt)
    life.end(again)
    life.fail(last)
    life.move("E")
    life.start_over()
    life.link(*"BIOR")
    [last] = life.queue(tasks[2:])
    life.start(last)
    life.end(last)
    life.heartbeat("D")
    return told(stream)


def test_a_life_gives_the_events_of_its_history(life: Life, whole_life: list[Told]) -> None:
    events = events_of(whole_life)
    assert by_item(events) == life.history
    assert Counter(event["detail-type"] for event in events) == {
        "Task Instance Status Change": 6 * 5,
        "Task Status Change": 3 + 6 * 5 + 1,
        "Workflow Run Status Change": 2 * 6,
        "Workflow Status Change": 1 + 6 + 5,
    }
    workflow = [event["detail"]["to"] for event in events if event["detail-type"] == "Workflow Status Change"]
    assert "".join(workflow) == "GQIORFGQIORD"


def test_each_event_is_one_of_the_schema_with_a_reason(whole_life: list[Told]) -> None:
    events = events_of(whole_life)
    schema = Draft202012Validator(json.loads((ROOT / "docs/events.schema.json").read_text(encoding="utf-8")))
    for event in events:
        schema.validate(event)
    assert all(event["detail"]["reason"] for event in events)
    assert len({event["detail"]["change_id"] for event in events}) == len(events)


def test_the_pipe_lets_through_what_makes_an_event_and_nothing_else(whole_life: list[Told]) -> None:
    passed = [any(each.matches_event(record) for each in FILTERS) for record, _ in whole_life]
    assert passed == [event is not None for _, event in whole_life]
    assert 0 < sum(passed) < len(passed)


def test_a_task_that_never_fails_makes_eleven_events(life: Life, stream: Stream) -> None:
    """Heartbeats make none."""
    tasks = life.begin(1, max_attempts=3)
    [attempt] = life.queue(tasks)
    life.start(attempt)
    life.end(attempt)
    events = events_of(told(stream))
    of_task = [event for event in events if event["detail"].get("task_id") == tasks[0]]
    moves = [(event["detail-type"].removesuffix(" Status Change"), event["detail"]["to"]) for event in of_task]
    assert len(moves) == A_LIFE
    assert Counter(moves) == Counter(
        [("Task", status) for status in "GQIORD"] + [("Task Instance", status) for status in "QIORD"]
    )


def stream_of(table: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client(table).describe_table(TableName=name)["Table"].get("StreamSpecification", {})
    return found


def turn(table: str, name: str, view: str | None) -> None:
    on = {"StreamEnabled": True, "StreamViewType": view} if view else {"StreamEnabled": False}
    client(table).update_table(TableName=name, StreamSpecification=on)


@pytest.fixture
def other(table: str) -> Iterator[str]:
    """A table of its own, without a stream."""
    create_table(table, "followed")
    yield "followed"
    client(table).delete_table(TableName="followed")


def write(table: str, name: str, number: int) -> None:
    item = {"pk": {"S": f"RUN#{number}"}, "sk": {"S": "RUN"}, "status": {"S": "L"}}
    client(table).put_item(TableName=name, Item=item)


def numbers(records: list[dict[str, Any]]) -> list[int]:
    return [int(record["dynamodb"]["Keys"]["pk"]["S"].removeprefix("RUN#")) for record in records]


def test_a_stream_that_was_off_is_off_again(table: str, other: str) -> None:
    write(table, other, 1)
    with following(table, other) as stream:
        assert stream_of(table, other) == {"StreamEnabled": True, "StreamViewType": BOTH_IMAGES}
        for number in (2, 3):
            write(table, other, number)
        assert numbers(stream.read()) == [2, 3]
        assert stream.read() == []
    assert not stream_of(table, other).get("StreamEnabled")


def test_a_stream_that_was_on_stays_on_and_is_followed_from_now(table: str, other: str) -> None:
    turn(table, other, BOTH_IMAGES)
    write(table, other, 1)
    with following(table, other) as stream:
        write(table, other, 2)
        assert numbers(stream.read()) == [2]
    assert stream_of(table, other)["StreamEnabled"]


def test_more_than_a_page_is_read_in_order(table: str, other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow_events, "BATCH", 2)
    with following(table, other) as stream:
        for number in range(5):
            write(table, other, number)
        pages = [numbers(stream.read()) for _ in range(4)]
    assert pages == [[0, 1], [2, 3], [4], []]


def test_a_stream_without_old_images_cannot_be_followed(table: str, other: str) -> None:
    turn(table, other, "NEW_IMAGE")
    with pytest.raises(CannotFollowError, match="holds NEW_IMAGE, not NEW_AND_OLD_IMAGES"), following(table, other):
        pass
    assert stream_of(table, other)["StreamViewType"] == "NEW_IMAGE"


def test_a_stream_that_somebody_turns_off_is_read_to_its_end(table: str, other: str) -> None:
    with following(table, other) as stream:
        write(table, other, 1)
        turn(table, other, None)
        assert numbers(stream.read()) == [1]
        with pytest.raises(CannotFollowError, match="turned the table's stream off"):
            stream.read()


@contextmanager
def make_events(*options: str, **settings: str) -> Iterator["subprocess.Popen[str]"]:
    """`make events`, which follows by now."""
    command = [sys.executable, "-m", "local", "local.follow_events", *options]
    modules = {"PYTHONPATH": os.pathsep.join((".", "shared"))}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | modules | settings, stdout=pipe, stderr=pipe, encoding="utf-8"
    ) as process:
        assert process.stderr
        assert process.stderr.readline().startswith("following table ")
        yield process


def test_make_events_prints_moves_as_they_happen(api: httpx.Client, table: str) -> None:
    name = Item.Meta.table_name
    with make_events() as process:
        assert process.stdout
        body = {"workflow_id": 84_900_001, "mark_created": True, "tasks": {}}
        assert api.put("/task/bind_tasks_no_args", json=body).status_code == 200
        event = json.loads(process.stdout.readline())
        assert (event["detail-type"], event["detail"]["workflow_id"]) == ("Workflow Status Change", 84_900_001)
        assert stream_of(table, name)["StreamEnabled"]
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped\n"
        assert process.wait() == 128 + signal.SIGINT
    assert not stream_of(table, name).get("StreamEnabled")


def test_make_events_says_what_it_cannot_read_elsewhere(table: str) -> None:
    """Standard output is events alone."""
    name = Item.Meta.table_name
    with make_events() as process:
        assert process.stdout
        assert process.stderr
        bad = {"pk": {"S": "RUN#84900002"}, "sk": {"S": "RUN"}, "status": {"S": "?"}}
        client(table).put_item(TableName=name, Item=bad)
        assert "RUN#84900002 RUN" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "stopped\n"
    client(table).delete_item(TableName=name, Key={key: bad[key] for key in ("pk", "sk")})


def test_make_events_says_that_nothing_runs() -> None:
    ended = run_alone("local", "local.follow_events", "--port", "1")
    assert ended.returncode == 1
    assert "nothing runs on port 1: start it with `make run PORT=1`" in ended.stderr

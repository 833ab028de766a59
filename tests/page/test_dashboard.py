"""The dashboard and the page agree on what they count."""

from collections import Counter
from collections.abc import Iterator

import pytest

from local.template import Template
from tests.page.dashboard import Counted, lines
from tests.page.pictures import told
from tests.page.story import Story


@pytest.fixture(scope="module")
def counted() -> Iterator[tuple[Counted, Story]]:
    with told() as (api, story, _):
        yield api.player, story


def moved(player: Counted) -> Counter[tuple[str, str]]:
    """How many attempts went from where to where, by the functions' metrics."""
    found: Counter[tuple[str, str]] = Counter()
    for name in player.metrics:
        if name.startswith("Moved."):
            _, source, target = name.split(".")
            found[source, target] += int(player.total(name))
    return found


def stands(player: Counted, status: str) -> int:
    """How many attempts are in a status, by what came to it and what left it."""
    moves = moved(player)
    came = sum(number for (_, target), number in moves.items() if target == status)
    return came - sum(number for (source, _), number in moves.items() if source == status)


def test_as_many_are_done_and_run_as_the_page_says(counted: tuple[Counted, Story]) -> None:
    player, story = counted
    _, shown = player.send("GET", f"/api/v3/workflows/{story.workflow_id}")
    by_status = shown["tasks_by_status"]
    assert by_status["D"] == stands(player, "DONE") > 0
    assert by_status["R"] == stands(player, "RUNNING") > 0


def test_as_many_attempts_failed_as_the_page_says(counted: tuple[Counted, Story]) -> None:
    player, story = counted
    _, task = player.send("GET", f"/api/v3/tasks/{story.failed}")
    failed = [attempt for attempt in task["attempts"] if attempt["status"] == "E"]
    assert len(failed) == stands(player, "ERROR") == player.total("ErrorEntries") == 2


def test_as_many_attempts_were_queued_as_the_page_says(counted: tuple[Counted, Story]) -> None:
    player, story = counted
    _, shown = player.send("GET", f"/api/v3/workflows/{story.workflow_id}")
    under_way_or_ended = sum(shown["tasks_by_status"].values()) - shown["tasks_by_status"]["G"]
    _, task = player.send("GET", f"/api/v3/tasks/{story.failed}")
    assert player.total("Queued") == under_way_or_ended + len(task["attempts"]) - 1


def test_every_widget_of_ours_shows_what_was_counted(counted: tuple[Counted, Story]) -> None:
    player, _ = counted
    shown = {name for widget in Template().widgets for name in lines(widget, player.metrics)}
    kinds = {"Tries", "Queued", "ErrorEntries", "Moved.RUNNING.DONE", "Moved.RUNNING.ERROR"}
    assert kinds <= shown

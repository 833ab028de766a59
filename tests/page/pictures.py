"""`make pictures`: draw the page for the README, of a workflow that a clock of its own makes the same each time.

The functions answer in this process, on a table in memory.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from unittest.mock import patch
from urllib.parse import parse_qs

from playwright.sync_api import Browser, Page, Route, sync_playwright

from local.template import ROOT
from lockstep.observability import logger
from tests.page import dashboard
from tests.page.conftest import CHROMIUM, OPTIONS
from tests.page.dashboard import Counted
from tests.page.fake import ORIGIN, Fake, fulfill
from tests.page.story import Story, tell
from tests.support.memory.boundary import calls_in_memory
from tests.support.memory.virtual_time import VirtualTime, running_on

FOLDER: Final = ROOT / "docs/pictures"
BEGINS: Final = datetime(2026, 11, 23, 20, 30, tzinfo=UTC).timestamp()
TASKS: Final = 120
MOST_BYTES: Final = 150_000
WIDE: Final[dict[str, Any]] = {"viewport": {"width": 1100, "height": 640}}
TALL: Final[dict[str, Any]] = {"viewport": {"width": 1100, "height": 1100}}
DASHBOARD: Final = "dashboard"
PHONE: Final[dict[str, Any]] = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}


class Picture(NamedTuple):
    """A view, and the window that it is drawn in."""

    name: str
    address: str
    shows: str
    """A heading that is there when all is loaded."""
    context: dict[str, Any]


def pictures(story: Story) -> list[Picture]:
    """What is drawn."""
    return [
        Picture("workflows", "#/workflows", "Workflows", WIDE),
        Picture("workflow", f"#/workflows/{story.workflow_id}", "Progress", TALL),
        Picture("failed", f"#/workflows/{story.workflow_id}/arrays/{story.array_id}?status=F", "Tasks", WIDE),
        Picture("task", f"#/tasks/{story.failed}", "stderr", TALL),
        Picture("phone", f"#/workflows/{story.workflow_id}", "Progress", PHONE),
    ]


@dataclass(kw_only=True)
class InProcess(Fake):
    """Answers with this process's functions."""

    player: Counted

    def answer_api(self, route: Route, path: str, query: str) -> None:
        """Call the function of the route."""
        parameters: dict[str, Any] = {**parse_qs(query)}
        fulfill(route, *self.player.send("GET", f"/api/v3/{path}", **parameters))


@contextmanager
def told() -> Iterator[tuple[InProcess, Story, float]]:
    """The API, what is in it, and what time it is."""
    with (
        patch.dict(os.environ, {"AUTH_MODE": "off"}),
        calls_in_memory(),
        running_on(VirtualTime(BEGINS)) as clock,
    ):
        player = Counted(clock.time)
        story = tell(player, clock.sleep, TASKS)
        yield InProcess(player=player), story, clock.time()


def draw(browser: Browser, folder: Path) -> list[str]:
    """Write the pictures into a folder and return their names."""
    with told() as (api, story, at):
        for picture in pictures(story):
            context = browser.new_context(reduced_motion="reduce", locale="en-US", **picture.context)
            api.answer_in(context)
            _draw(context.new_page(), picture, at, folder)
            context.close()
        dashboard.draw(api.player.metrics, at, folder / f"{DASHBOARD}.png")
        return [*(picture.name for picture in pictures(story)), DASHBOARD]


def _draw(page: Page, picture: Picture, at: float, folder: Path) -> None:
    page.clock.set_fixed_time(at)
    page.goto(f"{ORIGIN}/{picture.address}")
    page.get_by_role("heading", name=picture.shows).wait_for()
    page.screenshot(path=folder / f"{picture.name}.png")


def main() -> None:
    """Draw all pictures anew."""
    logging.getLogger(logger.name).setLevel("CRITICAL")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        draw(browser, FOLDER)
        browser.close()


if __name__ == "__main__":
    main()

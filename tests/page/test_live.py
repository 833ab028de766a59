"""The page goes on by itself: it looks again, changes in place, and outlives what goes away. On the made-up API."""

import re
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.page.conftest import Open
from tests.page.fake import ARRAY, INSTANCE, RUN, TASK, WORKFLOW, Fake, attempt, counts, row, task, whole, workflow

OF_WORKFLOW: Final = f"#/workflows/{WORKFLOW}"
PATH: Final = f"workflows/{WORKFLOW}"
HIDE, SHOW = (
    f"""() => {{
      Object.defineProperty(document, "hidden", {{ value: {hidden}, configurable: true }});
      document.dispatchEvent(new Event("visibilitychange"));
    }}"""
    for hidden in ("true", "false")
)


def news(page: Page) -> Locator:
    return page.get_by_role("status")


def pace(page: Page) -> Locator:
    return page.locator("#pace")


def pass_seconds(page: Page, seconds: float) -> None:
    """Let the page's clock go on, and wait for what it asks for then, if it does."""
    page.clock.run_for(round(seconds * 1000))


def looks(page: Page, seconds: float) -> None:
    """The page looks again when these seconds have passed, and has shown the reply."""
    with page.expect_response(re.compile("/api/v3/")):
        pass_seconds(page, seconds)


def test_pauses_grow_while_nothing_changes_and_shrink_when_something_does(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    pauses = [2, 3, 4.5, 6.75, 10.125, 15.1875, 22.78125, 30, 30]
    for number, pause in enumerate(pauses, start=1):
        expect(pace(page)).to_contain_text(f"Looks again every {pause + 0.01:.0f} s.")
        assert fake.count(PATH) == number
        pass_seconds(page, pause - 0.05)
        assert fake.count(PATH) == number
        looks(page, 0.1)
    expect(pace(page)).to_contain_text("Looks again every 30 s.")
    fake.replies[PATH] = workflow(status="D", status_name="DONE", tasks_by_status=counts(D=100_000))
    looks(page, 30)
    expect(news(page)).to_have_text("DONE, 100 % done")
    expect(pace(page)).to_contain_text("Looks again every 2 s.")


def test_what_is_new_appears_without_a_reload_and_what_stays_is_the_same(show: Open, fake: Fake) -> None:
    fake.replies["workflows"] = {"workflows": [row(1002), row(1001)], "cursor": None}
    page = show()
    first = page.get_by_role("link", name="workflow 1002")
    first.focus()
    rows = page.locator("tbody tr").element_handles()
    fake.replies["workflows"] = {
        "workflows": [row(1003), row(1002, status="D", status_name="DONE"), row(1001)],
        "cursor": None,
    }
    looks(page, 2)
    expect(page.locator("tbody tr")).to_have_count(3)
    expect(page.locator("tbody tr").nth(1)).to_contain_text("DONE")
    expect(first).to_be_focused()
    assert [page.evaluate("row => row.isConnected", row) for row in rows] == [True, True]
    fake.replies["workflows"] = {"workflows": [row(1003), row(1001)], "cursor": None}
    looks(page, 2)
    expect(page.locator("tbody tr")).to_have_count(2)
    assert [page.evaluate("row => row.isConnected", row) for row in rows] == [False, True]


def test_scroll_position_selection_and_typed_text_stay(show: Open, fake: Fake) -> None:
    page = show(viewport={"width": 800, "height": 500})
    page.get_by_label("User", exact=True).fill("typed")
    page.evaluate("scrollTo(0, 700)")
    name = page.get_by_text("workflow 1110", exact=True)
    name.evaluate("({ firstChild: text }) => getSelection().setBaseAndExtent(text, 3, text, 8)")
    fake.replies["workflows"] = {"workflows": [row(number) for number in range(1120, 1070, -1)][1:], "cursor": 50}
    looks(page, 2)
    expect(page.locator("tbody tr")).to_have_count(49)
    assert page.evaluate("getSelection().toString()") == "kflow"
    assert page.evaluate("scrollY") > 500
    expect(page.get_by_label("User", exact=True)).to_have_value("typed")


def test_details_stay_open_and_shut_as_they_were_left(show: Open, fake: Fake) -> None:
    page = show(f"#/tasks/{TASK}")
    expect(page.get_by_label("stderr of Attempt 2")).to_be_visible()
    page.get_by_role("article", name="Attempt 2").get_by_text("Output and errors").click()
    page.get_by_role("article", name="Attempt 1").get_by_text("Output and errors").click()
    expect(page.get_by_role("article", name="Attempt 1").get_by_text("None.")).to_be_visible()
    running = attempt(3, status="R", status_name="RUNNING", ended=False)
    fake.replies[f"tasks/{TASK}"] = task(
        status="R", status_name="RUNNING", num_attempts=3, attempts=[running, attempt(2), attempt(1)]
    )
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_role("article")).to_have_count(3)
    opened = page.locator("details").evaluate_all("all => all.map((details) => details.open)")
    assert opened == [False, False, True]


def test_the_output_of_an_attempt_under_way_is_looked_at_again_and_of_one_that_ended_once(
    show: Open, fake: Fake
) -> None:
    running = attempt(2, status="R", status_name="RUNNING", ended=False)
    fake.replies[f"tasks/{TASK}"] = task(status="R", status_name="RUNNING", attempts=[running])
    page = show(f"#/tasks/{TASK}?attempt={INSTANCE}")
    expect(page.get_by_label("stdout of Attempt 2")).to_have_text("began\n")
    fake.replies[f"task_instance/{INSTANCE}"] = whole(2, stdout_log="began\ngoes on\n")
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_label("stdout of Attempt 2")).to_have_text("began\ngoes on\n")
    fake.replies[f"tasks/{TASK}"] = task(attempts=[attempt(2)])
    fake.replies[f"task_instance/{INSTANCE}"] = whole(2, stdout_log="the end")
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_label("stdout of Attempt 2")).to_have_text("the end")
    asked = fake.count(f"task_instance/{INSTANCE}")
    looks(page, 2)
    expect(pace(page)).to_contain_text("Looks again every 3 s.")
    assert fake.count(f"task_instance/{INSTANCE}") == asked


def test_it_says_that_the_api_went_away_and_came_back_and_keeps_what_it_shows(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    expect(news(page)).to_have_text("RUNNING, at least 90 % done, 60 failed")
    fake.away = True
    pass_seconds(page, 2)
    expect(news(page)).to_have_text("The API does not answer. It is asked again.")
    expect(page.get_by_role("region", name="Progress")).to_contain_text("95,000 DONE")
    expect(pace(page)).to_contain_text("Seen 21:00:00. Looks again every 3 s.")
    pass_seconds(page, 3)
    expect(pace(page)).to_contain_text("Looks again every 5 s.")
    fake.away = False
    pass_seconds(page, 5)
    expect(news(page)).to_have_text("The API answers again. RUNNING, at least 90 % done, 60 failed")
    expect(pace(page)).to_contain_text("Seen 21:00:")
    page.get_by_role("button", name="Look now").click()
    expect(news(page)).to_have_text("RUNNING, at least 90 % done, 60 failed")


def test_a_503_is_said_and_tried_again(show: Open, fake: Fake) -> None:
    fake.refuses = 503, "DynamoDB is busy"
    page = show(OF_WORKFLOW)
    expect(news(page)).to_have_text("The API cannot answer now (503: DynamoDB is busy). It is asked again.")
    expect(page.get_by_text("Nothing to show yet.")).to_be_visible()
    fake.refuses = None
    pass_seconds(page, 3)
    expect(page.get_by_role("region", name="Progress")).to_be_visible()


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ((401, "no token"), "this browser's is missing, wrong or has expired"),
        ((403, "the token is not for this route"), "(403: the token is not for this route)"),
    ],
)
def test_a_token_that_does_not_open_it_is_said_with_what_to_do(
    show: Open, fake: Fake, refusal: tuple[int, str], words: str
) -> None:
    page = show(OF_WORKFLOW)
    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    fake.refuses = refusal
    pass_seconds(page, 2)
    expect(news(page)).to_contain_text(words)
    expect(news(page)).to_contain_text("make token SCOPE=reader DAYS=30")
    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    expect(pace(page)).to_contain_text("Looks no more.")
    asked = len(fake.asked)
    pass_seconds(page, 600)
    assert len(fake.asked) == asked, "each refusal would make the browser ask for a token"
    fake.refuses = None
    page.get_by_role("button", name="Look now").click()
    expect(news(page)).to_contain_text("The API answers again.")


def test_it_rests_while_nobody_sees_it(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    expect(pace(page)).to_contain_text("Looks again every 2 s.")
    page.evaluate(HIDE)
    pass_seconds(page, 3_600)
    assert fake.count(PATH) == 1
    with page.expect_response(re.compile(PATH)):
        page.evaluate(SHOW)
    expect(pace(page)).to_contain_text("Seen 22:00:00. Looks again every 3 s.")
    looks(page, 3)
    assert fake.count(PATH) == 3


def test_it_can_be_paused(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    expect(pace(page)).to_contain_text("Looks again every 2 s.")
    pause = page.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(pace(page)).to_contain_text("Paused.")
    pass_seconds(page, 600)
    assert fake.count(PATH) == 1
    with page.expect_response(re.compile(PATH)):
        pause.click()
    expect(pace(page)).to_contain_text("Looks again every")


def test_a_screen_reader_is_told_of_progress_in_tenths(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    expect(news(page)).to_have_text("RUNNING, at least 90 % done, 60 failed")
    page.evaluate("""() => {
      window.told = 0;
      new MutationObserver(() => window.told++).observe(document.querySelector("[role=status]"), { childList: true });
    }""")
    for done in (96_000, 97_000, 99_940):
        fake.replies[PATH] = workflow(tasks_by_status=counts(D=done, F=60, R=99_940 - done))
        looks(page, 2)
        expect(page.get_by_role("region", name="Progress")).to_contain_text(f"{done:,} DONE")
    assert page.evaluate("told") == 0
    fake.replies[PATH] = workflow(status="F", status_name="FAILED", tasks_by_status=counts(D=99_940, F=60))
    looks(page, 2)
    expect(news(page)).to_have_text("FAILED, at least 90 % done, 60 failed")
    assert page.evaluate("told") == 1


def test_a_reply_that_comes_too_late_for_its_view_is_dropped(show: Open) -> None:
    page = show(OF_WORKFLOW)
    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(rf"/{PATH}$"), hold)
    page.get_by_role("button", name="Look now").click()
    page.get_by_role("link", name=str(RUN)).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Workflow run {RUN}")
    for route in held:
        route.abort()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Workflow run {RUN}")
    expect(news(page)).to_have_text("RUNNING")


def test_an_api_that_is_silent_is_given_up_in_time(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    page.route(re.compile(rf"/{PATH}$"), lambda _: None)
    with page.expect_request(re.compile(PATH)):
        pass_seconds(page, 2)
    pass_seconds(page, 35)
    expect(news(page)).to_have_text("The API does not answer. It is asked again.")
    assert fake.count(PATH) == 1


def test_what_says_anything_else_than_json_is_not_the_api(show: Open) -> None:
    page = show(OF_WORKFLOW)
    expect(page.get_by_role("region", name="Progress")).to_be_visible()
    page.route(re.compile(rf"/{PATH}$"), lambda route: route.fulfill(status=200, body="<h1>Sign in</h1>"))
    pass_seconds(page, 2)
    expect(news(page)).to_have_text("The API cannot answer now (200: its reply is not JSON). It is asked again.")


def test_times_are_the_apis_where_this_machines_clock_is_wrong(show: Open, fake: Fake) -> None:
    page = show("#/nothing")
    late = {"Date": "Sat, 28 Nov 2026 21:30:00 GMT"}
    page.route(
        re.compile(rf"/{PATH}$"),
        lambda route: route.fulfill(status=200, json=fake.replies[PATH], headers=late),
    )
    page.evaluate("address => { location.hash = address }", OF_WORKFLOW)
    expect(page.get_by_role("region", name="Progress")).to_contain_text("20:59:48 · 30 min ago")
    expect(pace(page)).to_contain_text("Seen 21:30:00.")


def test_a_page_left_open_keeps_no_more_than_it_shows(show: Open, fake: Fake) -> None:
    page = show(f"{OF_WORKFLOW}/arrays/{ARRAY}?status=F")
    expect(page.locator("tbody tr")).to_have_count(50)
    elements = page.locator("*").count()
    for number in range(1, 21):
        fake.replies[PATH] = workflow(status_date=f"2026-11-28T20:00:{number:02}+00:00")
        looks(page, 2)
        expect(pace(page)).to_contain_text(f"Seen 21:00:{2 * number:02}. Looks again every 2 s.")
    assert page.locator("*").count() == elements

"""What the page shows, on the made-up API."""

import re
from typing import Any, Final

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Open
from tests.page.fake import (
    ARRAY,
    INSTANCE,
    ORIGIN,
    RUN,
    TASK,
    WORKFLOW,
    Fake,
    attempt,
    counts,
    row,
    run,
    task,
    whole,
    workflow,
)

LIST: Final = "#/workflows"
OF_WORKFLOW: Final = f"#/workflows/{WORKFLOW}"
OF_ARRAY: Final = f"{OF_WORKFLOW}/arrays/{ARRAY}"
OF_TASK: Final = f"#/tasks/{TASK}"
OF_RUN: Final = f"#/runs/{RUN}"
VIEWS: Final = ["", OF_WORKFLOW, OF_ARRAY, OF_TASK, OF_RUN, "#/nothing"]


def heading(page: Page, text: str) -> Locator:
    return page.get_by_role("heading", level=1, name=text)


def body_rows(page: Page) -> Locator:
    return page.locator("main tbody").get_by_role("row")


def test_the_list_shows_the_newest_workflows_and_leads_to_further_ones(show: Open, fake: Fake) -> None:
    page = show()
    rows = page.get_by_role("table", name="Newest first").locator("tbody").get_by_role("row")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("workflow 1120")
    expect(rows.first).to_contain_text("RUNNING")
    expect(rows.first).to_contain_text("20:58:00 · 2 min 0 s ago")
    page.get_by_role("link", name="Further page").click()
    expect(rows.first).to_contain_text("workflow 1070")
    page.get_by_role("link", name="Further page").click()
    expect(rows).to_have_count(20)
    expect(page.get_by_role("link", name="Further page")).to_have_count(0)
    page.go_back()
    expect(rows.first).to_contain_text("workflow 1070")
    page.get_by_role("link", name="First page").click()
    expect(rows.first).to_contain_text("workflow 1120")
    assert fake.asked[:3] == ["workflows", "workflows?cursor=50", "workflows?cursor=100"]


def test_filters_are_in_the_address(show: Open, fake: Fake) -> None:
    page = show()
    page.get_by_label("Part of the name").fill("11&1=")
    page.get_by_label("User", exact=True).fill("ann")
    page.get_by_label("Status").select_option(label="FAILED")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_text("No workflow fits.")).to_be_visible()
    assert fake.asked[-1] == "workflows?status=F&user=ann&name=11%261%3D"
    page.reload()
    expect(page.get_by_label("Part of the name")).to_have_value("11&1=")
    expect(page.get_by_label("Status")).to_have_value("F")
    page.get_by_label("Part of the name").fill("typed, but not sent")
    page.get_by_role("link", name="All", exact=True).click()
    expect(body_rows(page)).to_have_count(50)
    expect(page.get_by_label("Part of the name")).to_have_value("")
    expect(page.get_by_label("Status")).to_have_value("")


def test_a_page_on_which_nothing_fits_leads_on(show: Open, fake: Fake) -> None:
    fake.replies["workflows"] = {"workflows": [], "cursor": 900}
    page = show()
    expect(page.get_by_text("No workflow on this page fits. There are further pages.")).to_be_visible()
    expect(page.get_by_role("link", name="Further page")).to_have_attribute("href", "#/workflows?cursor=900")


def test_a_workflow_shows_its_progress_in_a_bar_and_in_words(show: Open) -> None:
    page = show(OF_WORKFLOW)
    expect(heading(page, "Workflow 1001 diamond")).to_be_visible()
    said = "95,000 DONE, 60 ERROR_FATAL, 4,000 RUNNING, 940 QUEUED"
    expect(page.get_by_role("img", name=said)).to_have_count(2)
    progress = page.get_by_role("region", name="Progress")
    for words in said.split(", "):
        expect(progress.get_by_role("listitem").filter(has_text=words)).to_be_visible()
    expect(progress).to_contain_text("What is under way was counted at 20:59:48 · 12 s ago.")
    widths = [float(rect.get_attribute("width") or 0) for rect in progress.locator("rect").all()]
    assert sum(widths) == pytest.approx(1000, abs=0.5)
    assert min(widths) >= 5
    expect(page).to_have_title("Workflow 1001 · Lockstep")


def test_a_workflow_shows_its_arrays_runs_limits_and_attributes(show: Open, fake: Fake) -> None:
    fake.replies[f"workflows/{WORKFLOW}"] = workflow(
        runs=[run(overdue=True, report_by_date="2026-11-28T20:55:00+00:00")],
        more_failed=True,
        more_batches=True,
        more_tasks=True,
        left_out=7,
    )
    page = show(OF_WORKFLOW)
    arrays = page.get_by_role("region", name="Arrays")
    expect(arrays.get_by_role("row").nth(1)).to_contain_text("60 or more ERROR_FATAL")
    expect(arrays).to_contain_text("no limit")
    expect(arrays).to_contain_text("7 more arrays are not listed.")
    expect(page.get_by_role("region", name="Progress")).to_contain_text(
        "Not all failed tasks are counted. Not all batches"
    )
    expect(page.get_by_role("region", name="Runs")).to_contain_text("overdue: was due 20:55:00 · 5 min 0 s ago")
    about = page.get_by_role("region", name="About")
    for words in ("A diamond of arrays.", "5,000", "9007199254740993", "Attribute project", "gbd"):
        expect(about).to_contain_text(words)
    page.get_by_role("link", name=str(RUN)).click()
    expect(heading(page, f"Workflow run {RUN}")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("3.6.0")


def test_a_workflow_without_anything_is_shown(show: Open, fake: Fake) -> None:
    nothing = dict.fromkeys(("name", "description", "workflow_args", "bound_date", "tool_version_id", "dag_id"))
    fake.replies[f"workflows/{WORKFLOW}"] = workflow(
        **nothing,
        max_concurrently_running=None,
        num_tasks=0,
        workflow_run_id=None,
        attributes={},
        runs=[],
        arrays=[],
        tasks_by_status=counts(),
        seen_date=None,
    )
    page = show(OF_WORKFLOW)
    expect(heading(page, "Workflow 1001 (no name)")).to_be_visible()
    expect(page.get_by_role("img", name="no tasks")).to_have_count(1)


def test_what_failed_is_a_step_away(show: Open, fake: Fake) -> None:
    page = show(OF_WORKFLOW)
    page.get_by_role("link", name="Show the failed ones").click()
    expect(page.get_by_role("table", name="Tasks in ERROR_FATAL")).to_be_visible()
    expect(body_rows(page)).to_have_count(50)
    assert f"arrays/{ARRAY}/tasks?status=F" in fake.asked
    page.get_by_role("link", name="model 0", exact=True).click()
    expect(heading(page, f"Task {TASK} model 0")).to_be_visible()
    expect(page.get_by_text("boom at step 7")).to_be_visible()


def test_an_array_of_100_000_tasks_is_shown_in_pages(show: Open) -> None:
    page = show(f"{OF_ARRAY}?status=D")
    expect(body_rows(page)).to_have_count(50)
    page.get_by_role("link", name="Further page").click()
    expect(body_rows(page).first).to_contain_text("model 50")
    expect(body_rows(page)).to_have_count(50)
    statuses = page.get_by_role("navigation", name="Tasks by status")
    expect(statuses.locator("[aria-current=true]")).to_have_text("DONE")
    assert statuses.get_by_role("link").all_inner_texts()[:2] == ["all", "ERROR_FATAL"]
    statuses.get_by_role("link", name="QUEUED").click()
    expect(page.get_by_text("No task of this array is here.")).to_be_visible()
    assert page.locator("*").count() < 500


def test_a_task_shows_why_each_attempt_stands_as_it_does(show: Open) -> None:
    page = show(OF_TASK)
    expect(page.get_by_label("The command")).to_have_text("python model.py --location 0")
    attempts = page.get_by_role("article")
    expect(attempts).to_have_count(2)
    newest = page.get_by_role("article", name="Attempt 2")
    for words in (
        "UNKNOWN_ERROR",
        "No heartbeat came in time, and triage found no cause.",
        "node-2",
        "867532",
        "7 min 0 s",
    ):
        expect(newest).to_contain_text(words)
    expect(newest.get_by_role("img", name="Attempt 2: waited 2 min 0 s, ran 7 min 0 s")).to_be_visible()
    expect(page.get_by_role("navigation", name="Path")).to_contain_text(f"Workflow {WORKFLOW}")


def test_attempts_are_bars_of_one_scale(show: Open) -> None:
    page = show(OF_TASK)
    bars = page.locator("svg.time rect")
    expect(bars).to_have_count(4)
    found = [[float(bar.get_attribute(name) or 0) for name in ("x", "width")] for bar in bars.all()]
    waited, ran, earlier_waited, earlier_ran = found
    assert earlier_waited[0] == 0
    assert earlier_waited[0] + earlier_waited[1] == pytest.approx(earlier_ran[0], abs=0.1)
    assert earlier_ran[0] + earlier_ran[1] < waited[0]
    assert ran[0] + ran[1] == pytest.approx(1000, abs=0.1)


def test_an_attempt_under_way_is_overdue_in_words(show: Open, fake: Fake) -> None:
    late = attempt(
        2,
        status="R",
        status_name="RUNNING",
        status_date="2026-11-28T20:13:00+00:00",
        ended=False,
        overdue=True,
        report_by_date="2026-11-28T20:58:30+00:00",
    )
    waiting = attempt(3, status="Q", status_name="QUEUED", reason=None, started_date=None, ended=False, nodename=None)
    fake.replies[f"tasks/{TASK}"] = task(status="R", status_name="RUNNING", attempts=[waiting, late], left_out=1_200)
    page = show(OF_TASK)
    expect(page.get_by_role("article", name="Attempt 2")).to_contain_text("overdue: was due 20:58:30 · 1 min 30 s ago")
    expect(page.get_by_role("article", name="Attempt 2")).to_contain_text("not yet")
    expect(page.get_by_text("1,200 older attempts are not listed.")).to_be_visible()
    expect(page.get_by_role("group").filter(has_text="Output and errors").first).not_to_have_attribute("open", "")


def test_takeovers_and_refusals_are_said_in_words(show: Open, fake: Fake) -> None:
    attempts = [attempt(2, takeovers=1, refusals=1_200), attempt(1)]
    fake.replies[f"tasks/{TASK}"] = task(attempts=attempts)
    page = show(OF_TASK)
    newest = page.get_by_role("article", name="Attempt 2")
    expect(newest).to_contain_text("Taken over once: the worker node before was silent")
    expect(newest).to_contain_text("Refused 1,200 times: claims or reports of another worker node or job.")
    expect(page.get_by_role("article", name="Attempt 1")).not_to_contain_text("Refused")


def test_output_is_asked_for_when_it_is_opened(show: Open, fake: Fake) -> None:
    page = show(OF_TASK)
    expect(page.get_by_label("stderr of Attempt 2")).to_have_text("Killed\n")
    expect(page.get_by_label("Error of Attempt 2")).to_have_text("boom at step 7")
    assert fake.count(f"task_instance/{INSTANCE - 1}") == 0
    earlier = page.get_by_role("article", name="Attempt 1")
    earlier.get_by_text("Output and errors").click()
    expect(earlier.get_by_text("Nothing was reported.")).to_have_count(2)
    expect(earlier.get_by_text("None.")).to_be_visible()


def test_an_attempts_address_leads_to_its_task_with_its_output_open(show: Open, fake: Fake) -> None:
    fake.replies[f"task_instance/{INSTANCE - 1}"] = whole(1, stdout_log="from the first attempt")
    page = show(f"#/attempts/{INSTANCE - 1}")
    expect(page.get_by_label("stdout of Attempt 1")).to_have_text("from the first attempt")
    expect(page).to_have_url(f"{ORIGIN}/{OF_TASK}?attempt={INSTANCE - 1}")


@pytest.mark.parametrize(
    ("kind", "number", "title"),
    [
        ("workflow", WORKFLOW, "Workflow 1001 diamond"),
        ("workflow run", RUN, f"Workflow run {RUN}"),
        ("task", TASK, f"Task {TASK} model 0"),
        ("attempt", INSTANCE, f"Task {TASK} model 0"),
    ],
)
def test_an_id_is_opened_with_the_keyboard(show: Open, kind: str, number: int, title: str) -> None:
    page = show()
    page.get_by_role("combobox", name="Open").select_option(label=kind)
    page.get_by_label("Id", exact=True).fill(str(number))
    page.keyboard.press("Enter")
    expect(heading(page, title)).to_be_focused()


@pytest.mark.parametrize(
    "address", ["#/workflows/77", "#/tasks/77", "#/runs/77", "#/attempts/77", "#/workflows/77/arrays/7"]
)
def test_an_unknown_id_says_so_and_leads_back(show: Open, address: str) -> None:
    page = show(address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("not found")
    expect(page.get_by_role("main")).to_contain_text("does not exist")
    page.get_by_role("link", name="All workflows").click()
    expect(heading(page, "Workflows")).to_be_focused()


@pytest.mark.parametrize(
    "address", ["#/nothing", "#/tasks/abc", "#/tasks/", "#nonsense", "#/workflows/1/2", "#/__proto__"]
)
def test_an_address_of_no_view_says_so(show: Open, fake: Fake, address: str) -> None:
    page = show(address)
    expect(page.get_by_text("This address leads to no view of the page.")).to_be_visible()
    assert fake.asked == []


@pytest.mark.parametrize("path", ["/", "/prod/", "/prod"])
def test_it_finds_the_api_beside_itself(show: Open, path: str) -> None:
    page = show(OF_WORKFLOW, path)
    expect(heading(page, "Workflow 1001 diamond")).to_be_visible()
    page.get_by_role("link", name="Workflows", exact=True).click()
    expect(body_rows(page)).to_have_count(50)
    assert page.url == f"{ORIGIN}{path}{LIST}"


@pytest.mark.parametrize("address", VIEWS)
@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_nothing_is_wider_than_the_screen(show: Open, address: str, width: int) -> None:
    page = show(address, viewport={"width": width, "height": 844})
    expect(page.locator("#pace")).to_contain_text("Seen 21:00:00.")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("address", VIEWS)
def test_each_view_has_landmarks_one_heading_and_tables_with_captions(show: Open, address: str) -> None:
    page = show(address, viewport={"width": 360, "height": 844})
    expect(page.locator("#pace")).to_contain_text("Seen 21:00:00.")
    for landmark in ("banner", "main", "contentinfo", "search"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("status")).to_have_attribute("aria-live", "polite")
    for table in page.get_by_role("table").all():
        assert table.locator("caption").inner_text()
        assert table.locator("th:not([scope])").count() == 0
    unnamed = [control for control in page.locator("a, button, input, select").all() if not _name(control)]
    assert unnamed == []
    assert page.locator("[onclick], [style]").count() == 0


def _name(control: Locator) -> str:
    label = "element => element.labels?.length ? element.labels[0].textContent : element.textContent"
    return str(control.evaluate(label)).strip()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", VIEWS)
def test_text_stands_out(show: Open, address: str, scheme: str) -> None:
    """WCAG 1.4.3: 4.5 to 1 for every text."""
    page = show(address, color_scheme=scheme)
    expect(page.locator("#pace")).to_contain_text("Seen 21:00:00.")
    faint = {text: ratio for text, ratio in page.evaluate(CONTRASTS) if ratio < 4.5}
    assert faint == {}


CONTRASTS: Final = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((part) => part / 255)
      .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (numbers(color)[3] !== 0) return color;
    }
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.nodeValue.trim() || ["SCRIPT", "NOSCRIPT"].includes(element.nodeName)) continue;
    const [high, low] = [light(getComputedStyle(element).color), light(ground(element))].sort((a, b) => b - a);
    found.push([walk.currentNode.nodeValue, (high + 0.05) / (low + 0.05)]);
  }
  return found;
}"""


def test_it_goes_by_keyboard_alone(show: Open) -> None:
    page = show()
    expect(body_rows(page)).to_have_count(50)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(6):  # past the filter, to the first workflow
        page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="workflow 1120")).to_be_focused()
    outline = page.get_by_role("link", name="workflow 1120").evaluate("link => getComputedStyle(link).outlineStyle")
    assert outline == "solid"
    assert page.url == f"{ORIGIN}/"


def test_focus_is_on_the_heading_of_what_a_link_leads_to_and_back_is_where_one_was(show: Open, fake: Fake) -> None:
    fake.replies["workflows"] = {"workflows": [row(number) for number in range(1050, 1000, -1)], "cursor": None}
    page = show(viewport={"width": 800, "height": 600})
    page.get_by_role("link", name="workflow 1001").scroll_into_view_if_needed()
    below = page.evaluate("scrollY")
    assert below > 600
    page.get_by_role("link", name="workflow 1001").click()
    expect(heading(page, "Workflow 1001 diamond")).to_be_focused()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(body_rows(page)).to_have_count(50)
    assert page.evaluate("scrollY") == below


def test_it_moves_only_for_those_who_want_it(show: Open) -> None:
    moves = "getComputedStyle(document.querySelector('.bar rect')).transitionDuration"
    for motion, duration in (("reduce", "0s"), ("no-preference", "0.4s")):
        page = show(OF_WORKFLOW, reduced_motion=motion)
        expect(heading(page, "Workflow 1001 diamond")).to_be_visible()
        assert re.match(duration, page.evaluate(moves)), motion


HEADINGS: Final = {
    LIST: "Workflows",
    OF_WORKFLOW: "About",
    OF_ARRAY: "Tasks",
    OF_TASK: "stdout",
    OF_RUN: "Workflow run",
}
"""What is there once a view has loaded everything."""
HOSTILE: Final = {
    "a script": "<script>pwned = 1</script>",
    "an image": "<img src=x onerror='pwned = 1'>",
    "the script's end": "</script><script>pwned = 1</script>",
    "the title's and the style's end": "</title></style><svg onload='pwned = 1'>",
    "an attribute's end": "\"' onmouseover='pwned = 1' autofocus onfocus='pwned = 1",
    "an address": "javascript:pwned = 1",
    "right to left": "\u202e\u2066txt.exe\u2069\u202c and on",
    "long": "x" * 10_000,
    "controls": "\x00\x07\x1b[31m\ufffd\n\t",
    "half a character": "\ud83d",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_text_from_workers_is_only_text(show: Open, fake: Fake, what: str) -> None:
    text = HOSTILE[what]
    _say_everywhere(fake, text)
    page = show("#/nothing", viewport={"width": 360, "height": 844})
    for address, shown in HEADINGS.items():
        page.goto(f"{ORIGIN}/{address}")
        expect(page.get_by_role("heading", name=shown)).to_be_visible()
        assert page.evaluate("document.scripts.length") == 1
        assert (
            page.locator("main :is(script, style, img, iframe, object, [onerror], [onload], [autofocus])").count() == 0
        )
        assert page.locator("a:not([href^='#/'])").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") == 360


def _say_everywhere(fake: Fake, text: str) -> None:
    """Let each text of each reply be this one, but for dates, cursors and statuses."""
    for path, reply in list(fake.replies.items()):
        fake.replies[path] = _with_text(reply({}) if callable(reply) else reply, text)


def _with_text(value: Any, text: str, name: str = "") -> Any:
    if isinstance(value, dict):
        hostile = {text: text} if name == "attributes" else {}
        return {key: _with_text(each, text, key) for key, each in value.items()} | hostile
    if isinstance(value, list):
        return [_with_text(each, text) for each in value]
    kept = (
        name.endswith("_date")
        or name in {"status", "status_name", "cursor", "ended", "overdue"}
        or not isinstance(value, str)
    )
    return value if kept else text


def test_the_policy_lets_nothing_else_run(show: Open) -> None:
    """So that text which came into the document in another way would not run either."""
    page = show()
    tried = page.evaluate("""() => {
      const errors = [];
      for (const way of [
        () => { document.body.innerHTML = "<img src=x onerror='pwned = 1'>"; },
        () => { document.body.insertAdjacentHTML("beforeend", "<b>"); },
        () => { document.createElement("iframe").srcdoc = "<script>parent.pwned = 1</script>"; },
        () => { document.createElement("script").text = "pwned = 1"; },
        () => { document.body.setAttribute("onclick", "pwned = 1"); },
      ]) {
        try { way(); errors.push("it was let through"); } catch (error) { errors.push(error.name); }
      }
      const script = document.createElement("script");
      script.append("pwned = 1");
      document.body.append(script);
      return errors;
    }""")
    assert tried == ["TypeError"] * 5
    assert page.evaluate("pwned") == 0
    blocked = page.evaluate("violations.splice(0)")
    assert set(blocked) <= {"require-trusted-types-for", "script-src-elem", "script-src-attr"}
    assert len(blocked) >= 6

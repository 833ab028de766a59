"""The page on what `make run` serves, of a workflow that Jobmon's calls have brought to the middle of its run."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import httpx
import pytest
from playwright.sync_api import Error, Page, expect

from lockstep.access.scopes import Scope
from tests.page.conftest import Open
from tests.page.story import Story, tell
from tests.support.guarded import Guarded
from tests.support.serving import serving

PATIENCE: Final = 20_000
"""Milliseconds that the page, which looks by itself, is waited for at most."""


class Client:
    """Sends what Jobmon's programs send."""

    def __init__(self, api: httpx.Client) -> None:
        self._api = api

    def send(self, method: str, path: str, body: str | None = None, /) -> tuple[int, Any]:
        """Status and body of the reply."""
        reply = self._api.request(method, path.removeprefix("/api/v3"), content=body)
        return reply.status_code, reply.json()


@pytest.fixture(scope="module")
def client(api: httpx.Client) -> Client:
    return Client(api)


@pytest.fixture(scope="module")
def story(client: Client) -> Story:
    return tell(client, lambda _: None)


@pytest.fixture
def show(new_page: Open, api: httpx.Client) -> Open:
    """Opens the page of what is served, on its real clock."""

    def opened(address: str = "", **options: Any) -> Page:
        page = new_page(**options)
        page.goto(f"{api.base_url.copy_with(path='/')}{address}")
        return page

    return opened


def test_from_the_list_to_what_an_attempt_printed(show: Open, story: Story) -> None:
    page = show()
    page.get_by_label("Status").select_option(label="RUNNING")
    page.get_by_label("User", exact=True).fill("ann")
    page.get_by_label("Part of the name").fill("MALARIA")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("row").filter(has_text=str(story.workflow_id)).get_by_role("link").click()
    progress = page.get_by_role("region", name="Progress")
    expect(progress).to_contain_text("1 ERROR_FATAL")
    expect(progress).to_contain_text("4 waiting")
    expect(page.get_by_role("region", name="About")).to_contain_text("malaria")
    page.get_by_role("link", name="Show the failed ones").click()
    page.get_by_role("link", name="model 101", exact=True).click()
    newest = page.get_by_role("article", name="Attempt 2")
    expect(newest).to_contain_text("the command failed")
    expect(newest.get_by_label("Error of Attempt 2")).to_contain_text("ValueError: no data for 101 in 2019")
    expect(newest.get_by_label("stdout of Attempt 2")).to_have_text("101: reading\n")
    page.get_by_role("article", name="Attempt 1").get_by_text("Output and errors").click()
    expect(page.get_by_label("Error of Attempt 1")).to_have_text("Killed by signal 9")


def test_it_follows_a_task_to_its_end_without_a_reload(show: Open, story: Story, client: Client) -> None:
    page = show(f"#/tasks/{story.running}?attempt={story.running_instance}")
    attempt = page.get_by_role("article", name="Attempt 1")
    expect(attempt).to_contain_text("RUNNING")
    expect(attempt.get_by_text("Nothing was reported.")).to_have_count(2)
    path = f"/api/v3/task_instance/{story.running_instance}/log_done"
    assert client.send("POST", path, json.dumps({"stdout_log": "the end\n"}))[0] == HTTPStatus.OK
    expect(attempt.get_by_label("stdout of Attempt 1")).to_have_text("the end\n", timeout=PATIENCE)
    expect(page.get_by_role("status")).to_have_text("DONE, 1 of 2 attempts")


def test_an_address_that_the_api_refuses_says_why(show: Open) -> None:
    page = show("#/workflows?status=nonsense&cursor=x")
    expect(page.get_by_role("heading", level=1)).to_contain_text("not found")
    expect(page.get_by_role("main")).to_contain_text("status")


def test_it_outlives_the_api(new_page: Open, table: str) -> None:
    page = new_page()
    news = page.get_by_role("status")
    with serving(AWS_ENDPOINT_URL_DYNAMODB=table) as url:
        page.goto(url)
        expect(page.get_by_role("heading", name="Workflows")).to_be_visible()
        expect(page.locator("#pace")).to_contain_text("Looks again")
    page.get_by_role("button", name="Look now").click()
    expect(news).to_have_text("The API does not answer. It is asked again.")
    with serving("--port", url.rpartition(":")[2], AWS_ENDPOINT_URL_DYNAMODB=table):
        expect(news).to_contain_text("The API answers again.", timeout=PATIENCE)


@pytest.fixture
def opened(new_page: Open, guarded: Guarded) -> Callable[..., Any]:
    """Opens the page of a system that asks for tokens, and returns what the server says at first."""

    def at(token: str | None, path: str = "/") -> tuple[Page, Any]:
        credentials = {} if token is None else {"http_credentials": {"username": "anybody", "password": token}}
        page = new_page(**credentials)
        return page, page.goto(guarded.url + path)

    return at


@pytest.mark.parametrize("scope", [Scope.READER, Scope.OPERATOR])
@pytest.mark.parametrize("path", ["/", "/v1", "/v1/"])
def test_a_token_as_password_opens_it_and_the_api(
    opened: Callable[..., Any], guarded: Guarded, scope: Scope, path: str
) -> None:
    page, reply = opened(guarded.token(scope), path)
    assert reply.status == HTTPStatus.OK
    expect(page.locator("#pace")).to_contain_text("Looks again")
    expect(page.get_by_role("status")).not_to_contain_text("token")


def test_a_url_with_a_token_opens_it_too(new_page: Open, guarded: Guarded) -> None:
    page = new_page()
    page.goto(guarded.with_token(guarded.token(Scope.READER)))
    expect(page.locator("#pace")).to_contain_text("Looks again")


def test_without_a_token_the_browser_asks_for_one(opened: Callable[..., Any]) -> None:
    """This one, which nobody sits at, gives up where another would show its dialog."""
    with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
        opened(None)


def test_an_expired_token_is_a_401(opened: Callable[..., Any], guarded: Guarded) -> None:
    _, reply = opened(guarded.expired(Scope.READER))
    assert (reply.status, reply.headers["www-authenticate"]) == (HTTPStatus.UNAUTHORIZED, "Basic realm=lockstep")


@pytest.mark.parametrize("scope", [Scope.WORKER, Scope.DISTRIBUTOR])
def test_a_programs_token_does_not_open_it(opened: Callable[..., Any], guarded: Guarded, scope: Scope) -> None:
    _, reply = opened(guarded.token(scope))
    assert (reply.status, reply.json()["detail"]) == (HTTPStatus.FORBIDDEN, "the token is not for this route")

"""With events/seed.json loaded, every example of docs/openapi.json is answered as the document says: "Try it out"."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import httpx
import pytest

from local.events import EXAMPLES, SEED, cases, filled
from lockstep.routes import BASE_PATH
from tests.conformance.cases import PLACEHOLDERS
from tests.support import described
from tests.support.described import DOCUMENT
from tests.support.serving import alone
from tests.system.test_run import running, seed


class Operation(NamedTuple):
    method: str
    path: str
    declared: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.declared["operationId"])

    def send(self, client: httpx.Client) -> httpx.Response:
        """Send the call that Swagger UI makes of the examples."""
        parameters = self.declared.get("parameters", [])
        path, query = (
            {each["name"]: each["example"] for each in parameters if each["in"] == where and "example" in each}
            for where in ("path", "query")
        )
        given = {"json": described.example(self.declared["requestBody"])} if "requestBody" in self.declared else {}
        return client.request(self.method, self.path.format_map(path), params=query, **given)


OPERATIONS: Final = [
    Operation(method.upper(), path, declared)
    for path, methods in DOCUMENT["paths"].items()
    for method, declared in methods.items()
]


@pytest.fixture(scope="module")
def browser() -> Iterator[httpx.Client]:
    """A page's way to `make run` after `make seed FILE=events/seed.json`."""
    with running(alone(), "--port", "0") as (serving, url):
        origin = url.removesuffix(BASE_PATH)
        seeded = seed(alone(), SEED, origin.rpartition(":")[2])
        assert seeded.returncode == 0, seeded.stderr
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        with httpx.Client(base_url=origin, headers=headers, timeout=30, trust_env=False) as client:
            yield client
        serving.terminate()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_the_example_is_answered_as_shown(browser: httpx.Client, operation: Operation) -> None:
    answer = operation.send(browser)
    body = answer.json() if answer.headers["content-type"] == "application/json" else answer.text
    assert (answer.status_code, body) == (200, filled(cases()[operation.name].reply, PLACEHOLDERS))
    shown = described.example(operation.declared["responses"]["200"])
    assert shown == filled(cases()[operation.name].reply, EXAMPLES)


def test_the_page_shows_this_document(browser: httpx.Client) -> None:
    assert browser.get("/openapi.json").json() == DOCUMENT | {"servers": [{"url": "/"}]}

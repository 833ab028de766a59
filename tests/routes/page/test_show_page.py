"""Show workflows, tasks and attempts in a browser."""

import base64
import hashlib
import json
import re

import pytest

from local.events import read
from local.gateway import load_handler
from lockstep.http.reply import carried
from tests.routes.page.contracts import SHOW_PAGE


def page() -> tuple[str, dict[str, str]]:
    """The document and its headers."""
    reply = load_handler("show_page")(read("show_page"), None)
    return reply["body"], reply["headers"]


def test_it_takes_no_more_than_is_stated() -> None:
    html, _ = page()
    assert carried(html) <= SHOW_PAGE.carried


def test_its_policy_names_its_one_script_and_its_one_style_and_nothing_else() -> None:
    html, headers = page()
    named = {}
    for element in ("script", "style"):
        [content] = re.findall(rf"<{element}[^>]*>(.*?)</{element}>", html, re.DOTALL)
        named[element] = f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
    assert headers["Content-Security-Policy"].split("; ") == [
        "default-src 'none'",
        f"script-src {named['script']}",
        f"style-src {named['style']}",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "private, no-cache"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_it_names_no_other_host() -> None:
    assert set(re.findall(r"\w+://[^\"'\s/]+", page()[0])) == {"http://www.w3.org"}  # SVG's namespace


@pytest.mark.usefixtures("table")
def test_what_goes_wrong_is_a_problem_document_here_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTH_MODE")
    nobody = read("show_page") | {"requestContext": {}}
    reply = load_handler("show_page")(nobody, None)
    assert (reply["statusCode"], reply["headers"]) == (403, {"Content-Type": "application/json"})
    assert json.loads(reply["body"])["detail"] == "the token is not for this route"

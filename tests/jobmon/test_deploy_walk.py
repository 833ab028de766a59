"""docs/deploy.md, from the first token to a worker node that has reported, on a system that asks for tokens."""

import json
import re
import time
from collections.abc import Iterator

import httpx
import pytest

from local.template import ROOT
from tests.jobmon.programs import CURRENT, kill_all
from tests.support.serving import alone, run_alone, running

REQUEST = re.compile(r"^lockstep (?P<method>\w+) (?P<path>\S+) '(?P<body>[^']+)'(?:  # (?P<reply>.+))?$", re.MULTILINE)
REQUESTS = [found.groupdict() for found in REQUEST.finditer((ROOT / "docs/deploy.md").read_text(encoding="utf-8"))]


@pytest.fixture
def url() -> Iterator[str]:
    """Of a system whose table is empty."""
    with running(alone(), "--port", "0", "--auth", "on") as (serving, url):
        yield url.removesuffix("/api/v3")
        kill_all()
        serving.terminate()


def token(url: str, scope: str) -> str:
    made = run_alone("ops.token", "--scope", scope, "--days", "1", "--port", url.rpartition(":")[2])
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_a_worker_reports(url: str) -> None:
    assert len(REQUESTS) == 6
    credentials = ("operator", token(url, "operator"))
    with httpx.Client(base_url=f"{url}/api/v3", auth=credentials, timeout=30, trust_env=False) as client:
        for request in REQUESTS:
            reply = client.request(request["method"], request["path"], content=request["body"])
            assert reply.is_success, (request, reply.text)
            if request["reply"]:
                assert reply.json() == json.loads(request["reply"])
        api = url.replace("://", f"://distributor:{token(url, 'distributor')}@")
        distributor = CURRENT.distributor(1001, "multiprocess", api=api)
        while client.get("task_instance/1000000001001").json()["task_instance"]["status"] != "D":
            assert distributor.runs(), distributor.printed()
            time.sleep(0.2)
        assert client.get("task_instance/1000000001001").json()["task_instance"]["stdout_log"] == "hello\n"

"""What all tests share: one embedded engine for each test process, and the whole system over HTTP."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.engine import dynamodb
from local.template import ROOT

os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"


@pytest.fixture(scope="session")
def table() -> Iterator[str]:
    """The endpoint of an engine with Lockstep's empty table; this process's functions use it."""
    with dynamodb("lockstep") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def api(table: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The system as `make run` serves it, over HTTP, on this process's table."""
    ready = tmp_path_factory.mktemp("api") / "ready.json"
    command = [sys.executable, "-m", "local.run", "--port", "0", "--ready-file", str(ready)]
    environment = os.environ | {"AWS_ENDPOINT_URL_DYNAMODB": table, "PYTHONPATH": os.pathsep.join((".", "shared"))}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout
        assert serving.stdout.readline().startswith("Lockstep serves")
        with httpx.Client(base_url=_api_url(ready), timeout=30, limits=httpx.Limits(max_connections=64)) as client:
            yield client
        serving.terminate()
        assert serving.wait() == 0


def _api_url(ready: Path) -> str:
    url: str = json.loads(ready.read_text())["api"]
    return url + "/api/v3"

"""What all tests share: one embedded engine for each test process, the whole system over HTTP, and the built layer."""

import fcntl
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from shutil import rmtree

import httpx
import pytest
from hypothesis import settings

from local import aws_limits
from local.engine import dynamodb
from local.layer import build_for_host, build_for_lambda
from local.meter import Meter
from local.secret import use_new_secret
from lockstep.dynamodb.client import connection
from lockstep.observability import logger
from tests.conformance.recording import Player
from tests.support.guarded import SECRET, Guarded
from tests.support.serving import serving

settings.register_profile("the same every time", derandomize=True, database=None, deadline=None)
settings.load_profile("the same every time")
os.environ["AUTH_MODE"] = "off"  # of the functions in this process
os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"  # of what is started
logging.getLogger(logger.name).setLevel("CRITICAL")  # of what runs here


collect_ignore = [
    "deployment/sam_transform.py",
    "jobmon/planned.py",
    "jobmon/plugins",
]  # other interpreters run them: ours has not what they import


FILES_BESIDE = 2
"""The other files between two of Jobmon's programs."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes early: Jobmon's programs. They wait most of the time, so others compute beside them."""
    files: dict[Path, list[pytest.Item]] = defaultdict(list)
    for item in items:
        files[item.path].append(item)
    waiting = [file for path, file in files.items() if "jobmon" in path.parts]
    computing = iter([file for path, file in files.items() if "jobmon" not in path.parts])
    mixed = [each for file in waiting for each in (file, *islice(computing, FILES_BESIDE))]
    items[:] = [item for file in (*mixed, *computing) for item in file]


@pytest.fixture(scope="session")
def table() -> Iterator[str]:
    """The endpoint of an engine with Lockstep's empty table; this process's functions use it, within AWS's limits."""
    with dynamodb("lockstep") as endpoint:
        aws_limits.attach(connection().client.meta.events)
        yield endpoint


@pytest.fixture(scope="session")
def guarded(table: str) -> Iterator[Guarded]:
    """The system over HTTP as `make run AUTH=on` serves it, on this process's table."""
    use_new_secret(table, SECRET)
    with serving("--auth", AWS_ENDPOINT_URL_DYNAMODB=table) as url:
        yield Guarded(url)


@pytest.fixture(scope="session")
def api(table: str) -> Iterator[httpx.Client]:
    """The system over HTTP, as `make run` serves it, on this process's table."""
    limits = httpx.Limits(max_connections=64)
    with (
        serving(AWS_ENDPOINT_URL_DYNAMODB=table) as url,
        httpx.Client(base_url=f"{url}/api/v3", timeout=30, trust_env=False, limits=limits) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def lambda_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer as it is deployed."""
    return _built_once(tmp_path_factory, "lambda_layer", build_for_lambda)


@pytest.fixture(scope="session")
def host_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer as this machine can run it."""
    return _built_once(tmp_path_factory, "host_layer", build_for_host)


def _built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], Path]) -> Path:
    """What the first of all test processes builds, for each of them."""
    own = factory.getbasetemp()
    shared = own.parent if own.name.startswith("popen-") else own
    folder, path = shared / name, shared / f"{name}.path"
    with (shared / f"{name}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            rmtree(folder, ignore_errors=True)
            path.write_text(str(build(folder)), encoding="utf-8")
    return Path(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def player(table: str) -> Player:
    """Calls the functions themselves, on this process's table."""
    assert table
    return Player()


@pytest.fixture(scope="session")
def meter(table: str) -> Meter:
    """Counts what this process asks of the table."""
    assert table
    attached = Meter()
    attached.attach()
    return attached

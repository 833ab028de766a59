"""Where contracts are checked."""

import httpx
import pytest

from local.meter import Meter
from tests.support.contract import System
from tests.support.guarded import Guarded


@pytest.fixture(scope="session")
def system(api: httpx.Client, guarded: Guarded) -> System:
    meter = Meter()
    meter.attach()
    return System(api, guarded, meter)

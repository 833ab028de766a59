"""Simulated clients wait as Jobmon's do."""

import json
import subprocess

from local.template import ROOT
from sim import client

ASK = """
import json, types
from jobmon.core.requester import Requester
retrying = Requester.from_defaults()._maybe_retry(print, True).retry
attempts = range(1, 10)
waits = [retrying.wait(types.SimpleNamespace(attempt_number=n)) for n in attempts]
limits = [vars(stop).get("max_attempt_number") for stop in retrying.stop.stops]
print(json.dumps([limits, waits]))
"""


def test_a_client_waits_and_gives_up_as_reckoned() -> None:
    python = ROOT / ".jobmon/current/bin/python"
    settings = {"JOBMON__HTTP__SERVICE_URL": "http://127.0.0.1", "JOBMON__HTTP__ROUTE_PREFIX": "/api/v3"}
    asked = subprocess.run([python, "-c", ASK], capture_output=True, encoding="utf-8", check=True, env=settings)
    limits, waits = json.loads(asked.stdout.splitlines()[-1])
    assert client.ATTEMPTS in limits
    for attempt, wait in enumerate(waits, 1):
        assert client.pause(attempt) <= wait <= client.pause(attempt) + client.JITTER

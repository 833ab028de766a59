"""The load generator counts what it sent and what came back, and the benchmark's verdicts can be bad ones."""

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bench.load import processor
from bench.load.facts import facts, rows
from bench.load.generating import generate
from bench.load.herd import measure_herd
from bench.load.load import Found, Kind, Load
from bench.load.lockstep import lockstep
from bench.load.measured import Measured, Verdict, judge, together
from bench.load.passing import Name, Sizes, one_pass
from bench.load.server import Server
from bench.row import MARIADB, SQLITE, Row
from local.template import ROOT
from sim.client import Client, Reply
from sim.requests import Request
from tests.support.serving import alone

SMALL = Sizes(steps=30, warm_up=1, lives={1: 2, 4: 6}, lookup_clients=4, rounds=3)
REQUESTS_PER_LIFE = 5


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with lockstep() as server:
        yield server


@pytest.fixture(scope="module")
def measured(server: Server) -> dict[Name, Measured]:
    return dict(one_pass(server, SMALL))


LOOP = """
import json
from bench.load.beside_loop import measure_loop
section = measure_loop([2], lives=3, passes=1)
[row] = section.rows
print(json.dumps([section.text, row.result, row.met]))
"""
"""In a process of its own: what its functions ask goes to the system that it starts, not to a table of the tests."""


def test_a_loop_makes_the_calls_of_lives() -> None:
    env = alone() | {"POWERTOOLS_LOG_LEVEL": "CRITICAL"}
    program = [sys.executable, "-c", LOOP]
    said, result, met = json.loads(subprocess.check_output(program, cwd=ROOT, env=env, encoding="utf-8"))
    assert "(1 query, 2 transact_write_items, 3 update_item)" in said
    ratio, ours, loop = (float(number) for number in re.findall(r"[\d.]+", result)[:3])
    assert ratio == pytest.approx(ours / loop, abs=0.1)
    assert met == (ratio >= 0.9)


def test_each_life_is_five_requests_and_ends_done(measured: dict[Name, Measured]) -> None:
    for clients, lives in SMALL.lives.items():
        found = measured[Name("hot life", Kind.LIVES, clients)].found
        assert (found.requests, found.done, found.not_ok) == (REQUESTS_PER_LIFE * lives, lives, {})


def test_each_step_is_looked_up_once_and_found(measured: dict[Name, Measured]) -> None:
    found = measured[Name("array lookup", Kind.LOOKUPS, 4)].found
    assert (found.requests, found.done, found.not_ok) == (SMALL.steps, SMALL.steps, {})


def test_a_round_of_contention_has_one_winner(measured: dict[Name, Measured]) -> None:
    contention = measured[Name("contention", Kind.CONTENTION, 8)]
    assert (contention.found.requests, contention.found.not_ok) == (8 * SMALL.rounds, {})
    assert [len(told) for told in contention.found.acknowledged] == [1] * SMALL.rounds
    assert contention.verdict == Verdict(SMALL.rounds, several_winners=0, disagreeing=0)


@pytest.mark.skipif(not processor.counts(), reason="needs /proc")
def test_what_gateway_and_engine_take_is_told_apart(measured: dict[Name, Measured]) -> None:
    cost = together(list(measured.values())).cost
    assert cost
    assert cost.engine
    assert cost.server > 0
    assert cost.engine > 0


def test_every_worker_of_a_herd_ends_done() -> None:
    by_name = {row.what: row for row in measure_herd(20, seconds_to_start=0.1).rows}
    assert {row.met for row in by_name.values()} == {True, None}
    assert by_name["herd: replies that were not 200"].result == "0 of 60"
    assert by_name["herd: tasks DONE at the end"].result == "20"


def test_a_life_of_an_unknown_instance_is_five_replies_that_are_not_200(server: Server) -> None:
    found = generate(Load(Kind.LIVES, server.url, 1, [999_999_001]))
    assert (found.not_ok, found.done) == ({"404": REQUESTS_PER_LIFE}, 0)


@pytest.mark.skipif(not processor.counts(), reason="needs /proc")
def test_nothing_is_left_of_a_system() -> None:
    with lockstep() as short:
        assert short.engine
        assert runs(short.pid)
        assert runs(short.engine)
    assert not runs(short.pid)
    assert not runs(short.engine)


def runs(pid: int) -> bool:
    """One that has ended has no command line any more."""
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and bool(command.read_bytes())


@contextmanager
def a_server(*answers: int | None) -> Iterator[str]:
    """One that answers with these statuses in turn; None: it hangs up."""
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            status = next(left)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        serving.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


def test_whatever_comes_back_is_counted_and_nothing_is_sent_twice() -> None:
    replies: list[Reply] = []
    with a_server(200, 503, None, 200) as url, Client(url, replies.append) as client:
        outcomes = [client.send(Request("POST", "/x")).outcome for _ in range(4)]
    assert outcomes == ["200", "503", "RemoteDisconnected", "200"]
    assert [reply.outcome for reply in replies] == outcomes


def test_no_reply_in_time_is_a_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody_accepts:
        client = Client(f"http://127.0.0.1:{nobody_accepts.getsockname()[1]}", seconds=0.1)
        assert client.send(Request("POST", "/x")).outcome == "timeout"


@pytest.mark.parametrize(
    ("acknowledged", "stands", "verdict"),
    [
        ([["D", "E"], ["D"]], {1: ("D", "D"), 2: ("D", "D")}, Verdict(2, several_winners=1, disagreeing=0)),
        ([["D"]], {1: ("E", "G")}, Verdict(1, several_winners=1, disagreeing=0)),
        ([["E"]], {1: ("E", "D")}, Verdict(1, several_winners=0, disagreeing=1)),
        ([["E"], ["Z"]], {1: ("E", "G"), 2: ("Z", "A")}, Verdict(2, several_winners=0, disagreeing=0)),
    ],
    ids=["two acknowledged", "another replaced it", "a task elsewhere", "attempts left"],
)
def test_verdicts(acknowledged: list[list[str]], stands: dict[int, tuple[str, str]], verdict: Verdict) -> None:
    assert judge(acknowledged, stands) == verdict


def test_a_missed_target_and_a_peer_that_is_missing_are_said() -> None:
    found = Found(2.0, [1.0, 3.0], {"503": 1})
    ours = facts("x", Kind.CONTENTION, Measured(found, None, Verdict(3, 1, 0)))
    table = {row.what: row for row in rows(ours, {SQLITE: ours, MARIADB: "not available: no apt-get"})}
    not_ok = table["x: replies that were not 200"]
    assert (not_ok.result, not_ok.target, not_ok.met) == ("1 of 2 (503: 1)", "0", False)
    assert not_ok.peers == {SQLITE: not_ok.result, MARIADB: "not available: no apt-get"}
    assert table["x: requests/s"].result == "1"
    assert table["x: rounds with more than one winner"].met is False
    assert table["x: rounds after which task and instance disagree"].met is True


def test_passes_are_one_load() -> None:
    once = Measured(Found(1.0, [5.0], {"500": 1}, done=1), None, Verdict(1, 1, 0))
    assert facts("x", Kind.LIVES, together([once, once]))[0] == Row("x: requests/s", "1")
    assert together([once, once]).verdict == Verdict(2, 2, 0)

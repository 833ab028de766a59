"""Who runs an instance: rivals, restarted jobs and workers that were taken over from (docs/decisions/0034)."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from lockstep.errors import TableError
from tests.support.attempt import ANOTHER_JOB, ANOTHER_NODE, ANOTHER_PROCESS, NAMES, Attempt
from tests.support.memory.boundary import in_memory
from tests.support.memory.virtual_time import running_on
from tests.support.seeding import pair


@pytest.fixture
def attempt() -> Iterator[Attempt]:
    made = Attempt()
    with in_memory(), running_on(made.clock):
        made.launch()
        yield made


def test_one_of_eight_equal_claims_at_once_runs(api: httpx.Client) -> None:
    """Workers in containers share their host's name and process id 1."""
    instance = pair("O", "O")
    body = NAMES | {"next_report_increment": 279}
    with ThreadPoolExecutor(8) as threads:
        path = f"/task_instance/{instance}/log_running"
        replies = list(threads.map(lambda _: api.post(path, json=body).json()["task_instance"][1], range(8)))
    assert Counter(replies) == {"R": 1, "K": 7}


@pytest.mark.parametrize(("seconds", "told"), [(0.0, "K"), (0.9, "K"), (1.0, "R"), (200.0, "R")])
def test_an_equal_claim_is_a_rivals_within_a_second(attempt: Attempt, seconds: float, told: str) -> None:
    assert attempt.claim() == "R"
    attempt.clock.sleep(seconds)
    assert attempt.claim() == told


def test_each_repetition_holds_off_rivals_anew(attempt: Attempt) -> None:
    attempt.claim()
    attempt.clock.sleep(1.0)
    assert [attempt.claim(), attempt.claim()] == ["R", "K"]


@pytest.mark.parametrize("names", [ANOTHER_NODE, ANOTHER_PROCESS], ids=["another node", "another process"])
@pytest.mark.parametrize(("seconds", "told"), [(0.0, "K"), (29.0, "K"), (30.0, "R")])
def test_a_job_that_starts_again_takes_over_after_30_s(
    attempt: Attempt, seconds: float, told: str, names: dict[str, Any]
) -> None:
    assert attempt.claim() == "R"
    attempt.clock.sleep(seconds)
    assert attempt.claim(**names) == told


def test_another_job_takes_over_from_a_silent_one_only(attempt: Attempt) -> None:
    attempt.claim()
    attempt.clock.sleep(100)
    assert attempt.claim(**ANOTHER_JOB) == "K"
    attempt.clock.sleep(200)
    assert attempt.claim(**ANOTHER_JOB) == "R"


def test_people_see_what_was_refused_and_taken_over(attempt: Attempt) -> None:
    attempt.claim()
    assert attempt.contested() == (0, 0)
    attempt.claim(**ANOTHER_JOB)
    assert attempt.contested() == (0, 1), "a rival"
    attempt.clock.sleep(1)
    attempt.claim()
    assert attempt.contested() == (0, 1), "it repeats its claim: the reply was lost"
    attempt.clock.sleep(280)
    attempt.claim(**ANOTHER_JOB)
    assert attempt.contested() == (1, 1)
    attempt.beat("77")
    attempt.finish()
    assert attempt.contested() == (1, 3)
    attempt.finish(**ANOTHER_JOB)
    attempt.relaunch("79")
    assert attempt.contested() == (1, 4)


def test_a_worker_that_was_in_triage_and_comes_back_takes_nothing_over(attempt: Attempt) -> None:
    attempt.claim()
    attempt.clock.sleep(280)
    attempt.sweep()
    attempt.claim()
    assert (attempt.stands(), attempt.contested()) == ("RR", (0, 0))
    attempt.clock.sleep(280)
    attempt.sweep()
    attempt.claim(**ANOTHER_JOB)
    assert (attempt.stands(), attempt.contested()) == ("RR", (1, 0))


def test_a_worker_that_was_silent_and_comes_back_takes_nothing_over(attempt: Attempt) -> None:
    attempt.claim()
    attempt.clock.sleep(280)
    attempt.claim()
    assert (attempt.stands(), attempt.contested()) == ("RR", (0, 0))


def test_a_refusal_that_cannot_be_counted_is_a_refusal(attempt: Attempt, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: Any) -> None:
        raise TableError("throttled")

    attempt.claim()
    monkeypatch.setattr("lockstep.task_instance.store.update", throttled)
    assert attempt.claim(**ANOTHER_JOB) == "K"
    assert attempt.contested() == (0, 0)


@pytest.fixture
def overtaken(attempt: Attempt) -> Attempt:
    """Job 77 fell silent, and job 78 runs the command."""
    attempt.claim()
    attempt.clock.sleep(280)
    attempt.claim(**ANOTHER_JOB)
    return attempt


def test_an_overtaken_worker_hears_k_and_the_other_one_goes_on(overtaken: Attempt) -> None:
    before = overtaken.whole()
    assert overtaken.beat("77") == "K"
    assert overtaken.fail("F") == "K"
    assert overtaken.fail("E") == "K"
    assert overtaken.finish() == "K"
    assert overtaken.whole() == before
    assert overtaken.beat("78") == "R"
    assert overtaken.finish(**ANOTHER_JOB) == "D"
    assert overtaken.stands() == "DD"


def test_an_overtaken_worker_on_another_node_of_its_job_ends_nothing(attempt: Attempt) -> None:
    """Its heartbeats cannot be told from the new one's: they name the job only."""
    attempt.claim()
    attempt.clock.sleep(30)
    attempt.claim(**ANOTHER_NODE)
    assert attempt.finish() == "K"
    assert attempt.finish(**ANOTHER_NODE) == "D"


def test_nothing_that_is_recorded_of_an_end_is_overwritten(overtaken: Attempt) -> None:
    overtaken.finish(**ANOTHER_JOB)
    before = overtaken.whole()
    assert [overtaken.finish(), overtaken.fail("E"), overtaken.beat("77"), overtaken.claim()] == ["D"] * 4
    overtaken.relaunch("79")
    assert overtaken.triage("79") == "The task instance is D and it runs as another job"
    assert overtaken.whole() == before


def test_triage_of_another_job_ends_nothing(attempt: Attempt) -> None:
    attempt.claim()
    assert attempt.triage("78") == "The task instance is R and it runs as another job"
    assert attempt.stands() == "RR"


@pytest.mark.parametrize("job", ["77", "array 7, index 7", None])
def test_an_honest_triage_is_heard(attempt: Attempt, job: str | None) -> None:
    attempt.relaunch("array 7, index 7")
    attempt.claim()
    assert attempt.triage(job) == ""
    assert attempt.stands() == "ZA"


def test_a_worker_whose_job_the_distributor_calls_otherwise_is_healthy(attempt: Attempt) -> None:
    attempt.claim()
    attempt.relaunch("array 7, index 7")
    assert attempt.beat("77") == "R"
    assert attempt.finish() == "D"


def test_a_worker_that_names_no_job_is_healthy(attempt: Attempt) -> None:
    attempt.claim(distributor_id=None)
    attempt.clock.sleep(1)
    assert attempt.claim(distributor_id=None) == "R"
    assert attempt.beat("77") == "R"
    assert attempt.finish(distributor_id=None) == "D"


def test_ids_as_long_as_clusters_make_them(attempt: Attempt) -> None:
    job = "arn:aws-us-gov:batch:us-gov-west-1:123456789012:job/4b4ea4ab-6ad1-4dcc-b0ec-cc83a4b5ec5e:9999"
    node = "n" * 255
    attempt.relaunch(job)
    assert attempt.claim(distributor_id=job, nodename=node) == "R"
    assert attempt.beat(job) == "R"
    assert attempt.finish(distributor_id=job, nodename=node) == "D"
    instance = attempt.whole()["task_instance"]
    assert (instance["distributor_id"], instance["nodename"]) == (job, node)


DONE: Final = {"nodename": "n1", "distributor_id": "77"}
EXPIRED: Final = "the token has expired"


def test_a_token_that_expires_under_its_worker_carries_the_last_word(attempt: Attempt) -> None:
    attempt.send_token("a", 120)
    attempt.claim()
    attempt.clock.sleep(200)
    assert attempt.beat("77") == "R"
    assert attempt.finish() == "D"


@pytest.mark.parametrize("route", ["log_done", "log_report_by", "log_error_worker_node"])
def test_an_expired_token_says_nothing_of_what_another_one_claimed(attempt: Attempt, route: str) -> None:
    attempt.send_token("a", 1_000)
    attempt.claim()
    attempt.send_token("b", -1)
    body = DONE | {"error_state": "E", "error_description": "boom", "next_report_increment": 90}
    status, reply = attempt.send(route, **body)
    assert (status, EXPIRED in reply["detail"]) == (403, True)
    attempt.send_token("a", 1_000)
    assert attempt.beat("77") == "R"


@pytest.mark.parametrize("route", ["log_running", "log_known_error", "log_distributor_id"])
def test_an_expired_token_starts_nothing(attempt: Attempt, route: str) -> None:
    attempt.send_token("a", -1)
    status, _ = attempt.send(route, **NAMES, next_report_increment=90)
    assert status == 403

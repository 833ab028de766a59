"""The arithmetic of `make scale`, on cases that are small enough to know the answer."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.scale import day, herd, limits, scenarios, tables
from bench.scale.costs import ARRAY, BATCH, RUN_INDEX, STEP_INDEX, TASK, Step, Units, load
from bench.scale.herd import CONCURRENCY, GATEWAY, SCALING, Course, Herd, Room, Simulation, Work
from bench.scale.limits import Limit
from bench.scale.scenarios import READS, TABLE, WRITES, bucket
from sim import client

AT_ONCE = herd.TICK


def run(works: list[Work], room: Room, workers: float = 100, within: float = AT_ONCE) -> Course:
    return Simulation(Herd(workers, within, works), room).run()


def test_where_nothing_is_limited_all_run_at_once() -> None:
    course = run([Work("a", 0.2, 1.0), Work("b", 0.1, 0)], Room())
    assert course.running[-1] == pytest.approx(100)
    assert course.when(1) == pytest.approx(1.0 + 0.2 + 0.1, abs=3 * herd.TICK)
    assert sum(course.refused) == 0
    assert course.first == {}
    assert course.answered == pytest.approx(200)


def test_a_bucket_serves_at_its_rate_and_nobody_is_refused_within_the_budget() -> None:
    course = run([Work("a", 0.1, 0, {"x": 2})], Room(buckets={"x": 40}))
    assert course.when(0.999) == pytest.approx(100 * 2 / 40, rel=0.05)
    assert sum(course.refused) == 0
    assert course.first.keys() == {"x"}
    assert course.peak("x") == pytest.approx(40)


def test_what_waits_longer_than_the_budget_is_a_503_and_comes_back() -> None:
    course = run([Work("a", 0.1, 0, {"x": 1})], Room(buckets={"x": 10}))
    assert sum(course.refused) >= 100 - 10 * 6.1
    assert course.running[-1] == pytest.approx(100, abs=0.5)
    assert course.when(0.99) > 10


def test_past_the_burst_the_gateway_lets_its_rate_pass() -> None:
    course = run([Work("a", 0.1, 0)], Room(rate=10, burst=30))
    assert course.first == {GATEWAY: 0}
    assert course.refused[0] == pytest.approx(70)
    assert course.wanted[GATEWAY] == pytest.approx(100 / 30)


def test_executions_are_bounded_and_the_first_retry_comes_after_one_to_two_seconds() -> None:
    course = run([Work("a", 0.5, 0)], Room(concurrency=40))
    assert course.first == {CONCURRENCY: 0}
    assert max(course.busy) == pytest.approx(40)
    assert course.running[9] == pytest.approx(40)
    assert course.refused[0] == pytest.approx(60)
    assert course.running[-1] == pytest.approx(100, abs=0.5)


def test_a_function_gets_a_share_of_its_scaling_rate_back_each_second() -> None:
    course = run([Work("a", 100.0, 0)], Room(scaling=50), workers=90)
    assert course.first == {SCALING: 0}
    assert course.refused[0] == pytest.approx(40)
    seconds = 3
    started = course.busy[round(seconds / herd.TICK)]
    assert 50 < started <= 50 + 50 * (seconds + herd.TICK) / limits.SCALING_SECONDS


def test_who_is_refused_ten_times_gives_up() -> None:
    course = run([Work("a", 0.1, 0)], Room(concurrency=0))
    assert course.lost == pytest.approx(100, abs=0.5)
    assert sum(course.refused) == pytest.approx(100 * client.ATTEMPTS, abs=0.5)
    pauses = sum(client.pause(attempt) for attempt in range(1, client.ATTEMPTS))
    assert pauses <= len(course.running) * herd.TICK <= pauses + client.ATTEMPTS


@settings(deadline=None, max_examples=20)
@given(
    workers=st.floats(1, 500),
    within=st.floats(0.1, 5),
    rate=st.floats(10, 1_000),
    concurrency=st.floats(1, 200),
    units=st.floats(0.5, 5),
    there=st.floats(5, 500),
)
def test_nobody_is_lost_count_of_and_no_limit_is_passed(
    workers: float, within: float, rate: float, concurrency: float, units: float, there: float
) -> None:
    room = Room(rate, rate, concurrency, concurrency, {"x": there})
    course = run([Work("a", 0.2, 0.4), Work("b", 0.1, 0.4, {"x": units})], room, workers, within)
    assert course.running[-1] + course.lost == pytest.approx(workers, abs=0.51)
    assert max(course.busy) <= concurrency + 1e-6
    assert max(course.taken["x"]) <= there * herd.TICK + 1e-6
    assert course.running == sorted(course.running)
    assert sum(course.taken["x"]) == pytest.approx(units * course.running[-1], abs=units * (0.5 + concurrency))


def test_a_step_takes_of_the_table_what_is_no_indexs() -> None:
    taken = {TASK: Units(4, 1, 1), STEP_INDEX: Units(0, 0.5, 1), RUN_INDEX: Units(2, 0, 1)}
    work = scenarios.work(Step("log_running", 1, 2, taken))
    assert work.units == {
        bucket(TABLE, WRITES): 4,
        bucket(TABLE, READS): 1,
        bucket(TASK, WRITES): 4,
        bucket(TASK, READS): 1,
        bucket(STEP_INDEX, READS): 0.5,
        bucket(RUN_INDEX, WRITES): 2,
    }
    with pytest.raises(ValueError, match="no request of one worker"):
        scenarios.work(Step("queue", 500, 1, taken))


def test_what_is_shared_is_one_partition_and_the_rest_are_many() -> None:
    there = scenarios.buckets(50_000, 40_000, 30_000)
    assert there[bucket(TABLE, WRITES)] == 40_000
    assert there[bucket(ARRAY, READS)] == 3_000
    assert there[bucket(RUN_INDEX, WRITES)] == 1_000
    assert there[bucket(BATCH, WRITES)] == 100 * 1_000
    assert there[bucket(STEP_INDEX, READS)] == 500 * 3_000
    assert there[bucket(TASK, WRITES)] == 50_000 * 1_000
    wider = scenarios.spread(replace(scenarios.room(1, 1, 1), buckets=there), RUN_INDEX, 16)
    assert wider.buckets[bucket(ARRAY, WRITES)] == 1_000
    assert wider.buckets[bucket(RUN_INDEX, WRITES)] == 16_000


def test_the_largest_herd_is_the_one_that_takes_all_there_is() -> None:
    steps = {"heartbeat": Step("heartbeat", 1, 1, {ARRAY: Units(4, 0, 1)})}
    limit = bucket(TABLE, WRITES)
    held = scenarios.largest(steps, ["heartbeat"], limit, (8_000, math.inf))
    once = scenarios.herd(steps, ["heartbeat"], held).works[0]
    assert once.starting > 0
    assert held == pytest.approx(8_000 / 4 * scenarios.WITHIN / 2, rel=0.05), "half: cold ones come with warm ones"
    assert scenarios.largest(steps, ["heartbeat"], GATEWAY, (8_000, 1)) < scenarios.MOST
    assert scenarios.largest(steps, ["heartbeat"], "nothing of it", (8_000, 1)) == scenarios.MOST


def test_a_day_has_one_peak_and_all_of_its_instances() -> None:
    assert sum(day.profile()) == pytest.approx(1)
    assert len(day.profile()) == day.SECONDS
    assert day.peak_factor() == pytest.approx(3.2)
    assert day.profile().index(max(day.profile())) == pytest.approx(day.SECONDS / 2, abs=1)


@settings(deadline=None, max_examples=20)
@given(amount=st.floats(1, 1e6), each=st.floats(1e-3, 100))
def test_what_a_limit_holds_is_where_it_begins_to_bite(amount: float, each: float) -> None:
    demand = day.Demand(Limit("something", amount, "a page"), each)
    held = day.held(demand)
    assert day.first_second(held * 0.999, demand) is None
    second = day.first_second(held * 1.001, demand)
    assert second is not None
    assert second == pytest.approx(day.SECONDS / 2, abs=3_600)


def test_a_table_grows_by_twice_in_half_an_hour() -> None:
    half = limits.GROWTH_SECONDS
    asked = [3_000.0] * half + [7_000.0] * half + [13_000.0] * half
    there = day.grown(asked, 4_000)
    assert there[0] == 4_000
    assert there[half] == 6_000
    assert there[2 * half] == 14_000
    demand = day.Demand(limits.NEW_TABLE_WRITES, 1)
    assert day.first_second(1e9, demand) is None, "a smooth day stays below twice the half hour before"


def test_the_recording_is_of_lives_as_prices_reckon_them() -> None:
    uses = {demand.limit: demand.each for demand in day.demands(load())}
    assert uses[limits.GATEWAY_RATE] == pytest.approx(9.03, abs=0.01)
    assert uses[limits.TABLE_WRITES] == pytest.approx(31.20 + 4, abs=0.01), "binding takes four, and a share of a call"


def test_the_document_is_fresh() -> None:
    assert tables.DOCUMENT.read_text(encoding="utf-8") == tables.document(), "run `make scale`"

"""What local/prices.py reckons with is what is measured and deployed."""

import re

import pytest

from bench.scale.costs import load
from local.prices import (
    ALARM_METRICS,
    ALARMS,
    BATCH,
    OFF,
    TABLES,
    WRITE,
    Use,
    cost,
    life,
)
from local.tables import filled
from local.template import ROOT, Template
from local.workflow_cost import binding

SINCE_TAKEN = (
    "queue_task_batch",
    "instantiate",
    "launched",
    "get_array",
    "log_running",
    "POST log_report_by",
    "log_done",
)


def test_a_life_takes_what_test_cost_measures() -> None:
    """tests/routes/test_cost.py::test_a_whole_life, without what only a distributor and a sweep ask besides."""
    uses = [use for use in life(5) if any(name in use.route for name in SINCE_TAKEN) and "batch" not in use.route[-6:]]
    uses += [use for use in life(5) if use.route == "POST queue_task_batch"]
    written, read = (sum(use.times * getattr(use, unit) for use in uses) for unit in ("written", "read"))
    assert written == pytest.approx(29 + (57 + 22 + 4) / BATCH)
    assert read == pytest.approx(2, abs=0.02)


def test_binding_takes_what_is_recorded() -> None:
    tasks = load()["bind tasks"]
    [use] = [use for use in binding(tasks.instances) if "bind_tasks" in use.route]
    assert use.written == pytest.approx(tasks.written())
    assert use.read == pytest.approx(tasks.read())
    assert use.times == 1 / tasks.instances


def test_a_life_in_a_small_run_takes_no_less() -> None:
    small, large = (sum(use.times * use.written for use in life(5, run=run)) for run in (1, 10_000))
    assert large < small < 3 * large


def test_a_heartbeat_is_a_request_and_a_write_unit_more() -> None:
    without, with_one = (
        sum(
            use.times * use.written
            for use in life(heartbeats)
            if "triaging" not in use.route and "run" not in use.route
        )
        for heartbeats in (0, 1)
    )
    assert with_one == pytest.approx(without + 1)


def test_a_call_is_billed_by_the_millisecond_and_by_memory() -> None:
    small = Use("r", 1, cpu_ms=1000, line=0, waits=0, memory=885)
    whole = Use("r", 1, cpu_ms=1000, line=0, waits=0, memory=1769)
    assert small.gb_seconds == pytest.approx(whole.gb_seconds, rel=0.01), "half of a processor takes twice as long"


def test_units_are_paid_by_the_million() -> None:
    assert cost([Use("r", 1, cpu_ms=0, line=0, written=3)])["DynamoDB, writes"] == pytest.approx(3 * WRITE.dollars)


def test_only_what_is_marked_is_made() -> None:
    text = "before\n<!-- made: server -->\nold\n<!-- end -->\nafter\n"
    made = filled(text, TABLES)
    assert made.startswith("before\n<!-- made: server -->\nTwo small")
    assert made.endswith("\n<!-- end -->\nafter\n")
    assert "old" not in made
    assert filled(made, TABLES) == made


def test_the_stack_has_what_is_paid_for() -> None:
    assert {function.name for function in Template().functions} >= OFF
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    off = 1  # UntoldChangesAlarm
    assert template.count("Type: AWS::CloudWatch::Alarm") - off == ALARMS
    alarms = template[template.index("  DefectsAlarm:\n") : template.index("  Watch:\n")]
    assert len(re.findall(r"\bMetricName: ", alarms)) - off == ALARM_METRICS

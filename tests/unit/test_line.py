"""A line of the log says what Powertools' own formatter says."""

import json
import logging
import sys
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from lockstep.log_format import MAX_LINE_BYTES, LogFormat

OURS = LogFormat("stack")
POWERTOOLS = LambdaPowertoolsFormatter(service="stack", utc=True)


def record(**more: Any) -> logging.LogRecord:
    facts = {
        "created": 1.5,
        "msecs": 500.0,
        "name": "lockstep",
        "levelno": logging.INFO,
        "levelname": "INFO",
        "msg": "%s %s",
        "args": ("POST", "/x"),
    }
    return logging.makeLogRecord(facts | more)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="nothing more"),
        pytest.param({"status": 200, "seconds": 0.25, "why": None, "caller": "café \n\x10"}, id="facts"),
        pytest.param({"_aws": {"CloudWatchMetrics": [{"Metrics": []}]}, "Tries": [1.0, 2.0]}, id="metrics"),
        pytest.param({"what": ValueError("boom")}, id="what JSON does not know"),
        pytest.param({"what": chr(0xD800)}, id="what UTF-8 does not know"),
    ],
)
def test_it_says_the_same(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-6846d4f0-33e7b7011e8185974c7fcfd4;Sampled=0")
    OURS.thread_safe_append_keys(task_instance_id="7001001", caller=None)
    said, expected = (json.loads(formatter.format(record(**more))) for formatter in (OURS, POWERTOOLS))
    OURS.thread_safe_clear_keys()
    del expected["location"]
    assert said == expected


def test_an_exception_is_told_in_full() -> None:
    try:
        raise ValueError("boom")
    except ValueError:
        told = json.loads(OURS.format(record(exc_info=sys.exc_info())))
    assert (told["exception_name"], told["stack_trace"]["value"]) == ("ValueError", "boom")


@pytest.mark.parametrize("character", ["x", '"', "\x00", "\u00e9", "\U0001f600", "\ud800"])
def test_a_line_is_never_longer_than_cloudwatch_takes(character: str) -> None:
    metrics = {"_aws": {"CloudWatchMetrics": [{"Metrics": [{"Name": "Tries"}]}]}, "Tries": [1.0]}
    words = character * 100_000
    facts = {f"fact_{number}": words for number in range(40)} | {words: words, "why": "because " + words}
    line = OURS.format(record(args=("POST", "/api/" + words), **facts, **metrics))
    assert len(line.encode()) <= MAX_LINE_BYTES
    told = json.loads(line)
    assert told["message"].startswith("POST /api/")
    assert told["why"].startswith("because ")
    assert {name: told[name] for name in metrics} == metrics


def test_an_exception_whose_words_are_long_is_cut_too() -> None:
    try:
        raise ValueError("boom" * 1_000_000)
    except ValueError:
        line = OURS.format(record(exc_info=sys.exc_info()))
    assert len(line.encode()) <= MAX_LINE_BYTES
    assert "boom" in json.loads(line)["exception"]

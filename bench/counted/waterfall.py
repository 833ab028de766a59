"""Serve warm events with a mark between stages, so that the instructions of each stage can be counted.

It writes the stage of each stretch after the first as JSON. The stage "a mark" measures the cost of the marks.
"""

import gc
import importlib
import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any, Final

WARMED_UP: Final = 30
CALIBRATED: Final = 20
REST: Final = "the rest"
STAGES: Final = {
    "lockstep.http.endpoint:_facts": "parse",
    "lockstep.http.endpoint:_parse": "parse",
    "lockstep.http.reply:of_result": "reply",
    "lockstep.task_instance.transition:transit_many": "validate",
    "lockstep.task_instance.store:write_pairs": "build",
    "botocore.client:BaseClient._make_api_call": "botocore",
    "botocore.signers:RequestSigner.sign": "sign",
    "botocore.httpsession:URLLib3Session.send": "send",
    "lockstep.observability:bind": "log",
    "lockstep.observability:write_line": "log",
    "lockstep.observability:_emf": "metrics",
    "lockstep.task_instance.transition:count": "metrics",
}
"""The function with which each stage begins."""


def main(event_file: str, times: int, stages_file: str) -> None:
    """Serve the event, with a mark wherever a stage begins or ends."""
    handler = importlib.import_module("app").lambda_handler
    with open(event_file, encoding="utf-8") as file:  # noqa: PTH123  # as in handler.py
        event = json.load(file)
    context = SimpleNamespace(aws_request_id="00000000-0000-0000-0000-000000000000")
    for _ in range(WARMED_UP):
        handler(event, context)
    gc.collect()
    gc.disable()
    passed: list[str] = []
    under_way = [REST]
    nothing = _marked(lambda: None, "a mark", passed, under_way)
    for place, stage in STAGES.items():
        module, _, path = place.partition(":")
        *parents, name = path.split(".")
        owner: Any = sys.modules[module]
        for parent in parents:
            owner = getattr(owner, parent)
        setattr(owner, name, _marked(getattr(owner, name), stage, passed, under_way))
    under_way.append("a mark")
    os.getsid(0)
    for _ in range(CALIBRATED):
        nothing()
    passed.append(under_way.pop())
    os.getsid(0)
    for _ in range(times):
        handler(event, context)
    passed.append(under_way[-1])
    os.getsid(0)
    with open(stages_file, "w", encoding="utf-8") as file:  # noqa: PTH123  # as above
        json.dump(passed, file)


def _marked(function: Callable[..., Any], stage: str, passed: list[str], under_way: list[str]) -> Callable[..., Any]:
    @wraps(function)
    def marked(*args: Any, **kwargs: Any) -> Any:
        passed.append(under_way[-1])
        os.getsid(0)
        under_way.append(stage)
        try:
            return function(*args, **kwargs)
        finally:
            passed.append(under_way.pop())
            os.getsid(0)

    return marked


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])

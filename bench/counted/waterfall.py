"""Where the instructions of a warm function go: each stretch between marks belongs to the stage that is under way.

Prints, as JSON, the stage of each stretch after the first; the last stretch is not of a request.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from types import SimpleNamespace
from typing import Any, Final

WARMED_UP: Final = 5
CALIBRATED: Final = 20
STAGES: Final = {
    "lockstep.endpoint:_facts": "facts",
    "lockstep.endpoint:_parse_path": "parse",
    "lockstep.endpoint:_parse_body": "parse",
    "lockstep.advance:premise": "rule",
    "lockstep.advance:status_told": "rule",
    "lockstep.store:_actions": "build",
    "lockstep.table:transact": "build",
    "botocore.client:BaseClient._make_api_call": "botocore, the rest",
    "botocore.client:BaseClient._resolve_endpoint_ruleset": "endpoint",
    "botocore.serialize:JSONSerializer.serialize_to_request": "serialize",
    "botocore.useragent:UserAgentString.to_string": "user agent",
    "botocore.signers:RequestSigner.sign": "sign",
    "botocore.httpsession:URLLib3Session.send": "send",
    "botocore.parsers:ResponseParser.parse": "read",
    "lockstep.observability:_emf": "metrics",
    "lockstep.observability:count": "metrics",
    "lockstep.observability:known": "log",
    "lockstep.observability:Logger.info": "log",
    "pydantic.main:BaseModel.model_dump": "reply",
}


def main(event_file: str, times: int, said_file: str) -> None:
    """Serve the event, with a mark wherever a stage begins or ends."""
    handler = importlib.import_module("app").lambda_handler
    with open(event_file) as file:  # noqa: PTH123  # as in handler.py
        event = json.load(file)
    context = SimpleNamespace(aws_request_id="00000000-0000-0000-0000-000000000000")
    for _ in range(WARMED_UP):
        json.dumps(handler(event, context))
    said: list[str] = []
    under_way = ["the rest"]
    nothing = _marked(lambda: None, "nothing", said, under_way)
    for place, stage in STAGES.items():
        module, _, path = place.partition(":")
        *parents, name = path.split(".")
        owner: Any = sys.modules.get(module)
        for parent in parents:
            owner = getattr(owner, parent, None)
        if owner is not None:
            setattr(owner, name, _marked(getattr(owner, name), stage, said, under_way))
    os.getsid(0)
    for _ in range(CALIBRATED):
        nothing()
    said.append("calibration")
    os.getsid(0)
    for _ in range(times):
        handler(event, context)
    said.append(under_way[-1])
    os.getsid(0)
    with open(said_file, "w") as out:  # noqa: PTH123  # as above
        json.dump({"stages": said, "times": times}, out)


def _marked(function: Callable[..., Any], stage: str, said: list[str], under_way: list[str]) -> Callable[..., Any]:
    @wraps(function)
    def marked(*args: Any, **kwargs: Any) -> Any:
        said.append(under_way[-1])
        os.getsid(0)
        under_way.append(stage)
        try:
            return function(*args, **kwargs)
        finally:
            said.append(under_way.pop())
            os.getsid(0)

    return marked


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])

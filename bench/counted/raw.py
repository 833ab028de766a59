"""A bare botocore client that makes given calls, from its process's start. Marks are as in handler.py."""

import json
import os
import sys

import botocore.session

WARMED_UP = 3


def main(calls_file: str, times: int) -> None:
    """Make the calls, one after the other."""
    with open(calls_file) as file:  # noqa: PTH123  # as in handler.py
        calls = json.load(file)
    session = botocore.session.get_session()
    clients = {service: session.create_client(service) for service in {call["service"] for call in calls}}
    for stretch in (1, WARMED_UP, times):
        for _ in range(stretch):
            for call in calls:
                clients[call["service"]]._make_api_call(call["operation"], call["params"])  # noqa: SLF001
        os.getsid(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

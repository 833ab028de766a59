"""`make invoke`: call one function as Lambda does, with an event from events/ or from a file.

The function runs in a new process, in its own folder, and can import its folder, the layer and the layer's packages.
Its reply goes to standard output, everything else to standard error. The exit code is 0 if the function replied,
whatever the status; 1 if it ended without a reply; 2 if it could not be called.
"""

import argparse
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from local.engine import ENDPOINT_VARIABLE, EngineError, dynamodb
from local.events import SEED, Event, UnknownEventError, read, reply_body
from local.gateway import Context
from local.seed import Seed, load
from local.template import ROOT, Template
from lockstep.errors import UnavailableError
from lockstep.routes import ROUTES, Route

_RUNTIME: Final = """\
import importlib, json, os, sys, types
reply = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
context = types.SimpleNamespace(**json.loads(sys.argv[2]))
json.dump(handler(json.load(sys.stdin), context), reply)
reply.close()
"""
"""A substitute for Lambda's runtime. It keeps the function's output and log apart from its reply."""

Reply = dict[str, Any]


class CannotCallError(Exception):
    """A function could not be called; the message says why in one line."""


class NoReplyError(Exception):
    """The function was called and did not reply."""


def find_event(given: str) -> tuple[Event, Path]:
    """Return the event with a name or in a file, and its seed file. A file has a slash or ends in .json."""
    if "/" in given or given.endswith(".json"):
        return read_file(Path(given)), Path(given).with_name(SEED.name)
    try:
        return read(given), SEED
    except UnknownEventError as error:
        raise CannotCallError(str(error)) from error


def read_file(file: Path) -> Event:
    """Read an event from a file."""
    try:
        event = json.loads(file.read_bytes())
    except OSError as error:
        raise CannotCallError(f"cannot read {file}: {error.strerror}") from error
    except ValueError as error:
        raise CannotCallError(f"{file} is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise CannotCallError(f"{file} holds no event: it is not a JSON object")
    return event


def route_of(event: Event) -> Route:
    """Return the route of an event."""
    method, resource = event.get("httpMethod"), event.get("resource")
    for route in ROUTES:
        if (route.method, route.resource) == (method, resource):
            return route
    if "task_instances" in event:
        raise CannotCallError("this is a seed file, not an event: make seed FILE=…")
    raise CannotCallError(f"no route is {method} {resource}: shared/lockstep/routes.py lists them")


def call(route: Route, event: Event, table: str) -> Reply:
    """Call the route's function in a new process and return its reply."""
    folder = ROOT / "functions" / route.folder
    context = Context(str(uuid.uuid4()), route.name)
    ended = subprocess.run(
        [sys.executable, "-c", _RUNTIME, Template().handler, json.dumps(context._asdict())],
        cwd=folder,
        env=_environment(folder, table),
        input=json.dumps(event),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
        start_new_session=True,  # Ctrl-C must reach only this process, which ends the function
    )
    if ended.returncode:
        raise NoReplyError(f"{route.name} ended with exit code {ended.returncode} and did not answer")
    reply: Reply = json.loads(ended.stdout)
    return reply


def _environment(folder: Path, table: str) -> dict[str, str]:
    given = {"POWERTOOLS_LOG_LEVEL": "INFO"} | os.environ
    return given | {"PYTHONPATH": os.pathsep.join((str(folder), str(ROOT / "shared"))), "TABLE_NAME": table}


def load_seed(file: Path) -> str:
    """Load a seed file, if it exists, and return a sentence that says so."""
    try:
        count = load(Seed.model_validate_json(file.read_bytes()))
    except FileNotFoundError:
        return f"there is no {file}: nothing was loaded"
    except ValidationError as error:
        raise CannotCallError(f"{file} does not validate: {error.error_count()} errors") from error
    return f"loaded {count} items of {file}"


def answer(given: str, *, seed: bool) -> Reply:
    """Return the reply to an event, given by its name or its file.

    Without AWS_ENDPOINT_URL_DYNAMODB, an embedded engine is started and seeded for the call. With it, the table there
    is created if it does not exist, and seeded only if `seed` is true.
    """
    event, seed_file = find_event(given)
    route = route_of(event)
    embedded = not os.environ.get(ENDPOINT_VARIABLE)
    table = os.environ.get("TABLE_NAME", "lockstep")
    try:
        with dynamodb(table) as endpoint:
            done = load_seed(seed_file) if seed or embedded else f"used the table at {endpoint} as it is"
            print(done, file=sys.stderr, flush=True)
            return call(route, event, table)
    except (EngineError, UnavailableError) as error:
        raise CannotCallError(str(error)) from error


def main() -> None:
    """Print the reply: the status, the headers and the parsed body."""
    parser = argparse.ArgumentParser(prog="local.invoke", description=__doc__)
    parser.add_argument("event", help="the name of an event in events/, such as log_done.untimely, or a file with one")
    parser.add_argument("--seed", action="store_true", help="load the event's seed.json even into a table of your own")
    options = parser.parse_args()
    try:
        reply = answer(options.event, seed=options.seed)
    except CannotCallError as error:
        parser.exit(2, f"{error}\n")
    except NoReplyError as error:
        parser.exit(1, f"{error}\n")
    shown = {"statusCode": reply["statusCode"], "headers": reply["headers"], "body": reply_body(reply)}
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()

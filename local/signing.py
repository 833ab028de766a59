"""`make token`: makes a token for a deployed stack, or for the system that runs here with AUTH=on.

The token alone goes to standard output.
"""

import argparse
import getpass
import json
import os
import sys
import time
from typing import Any, Final

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from local.engine import use_embedded
from local.run import state_file
from local.secret import SECRETS_VARIABLE
from lockstep import clock
from lockstep.access import signing_keys
from lockstep.access.scopes import MAX_DAYS, Scope
from lockstep.access.tokens import DAY_SECONDS, Grant, sign

OUTPUT: Final = "SigningKeys"
"""Of the stack: the secret's ARN."""


class CannotSignError(Exception):
    """No token can be made; the message says why in one line."""


def secret_of(stack: str) -> str:
    """The ARN of a deployed stack's secret."""
    [found] = cloudformation().describe_stacks(StackName=stack)["Stacks"]
    for output in found.get("Outputs", []):
        if output["OutputKey"] == OUTPUT:
            return str(output["OutputValue"])
    raise CannotSignError(f"stack {stack} has no output {OUTPUT}: it was deployed with AuthMode=iam, or is no Lockstep")


def cloudformation() -> Any:
    """A client for the region of AWS_DEFAULT_REGION or of the profile, as SAM has it."""
    return botocore.session.get_session().create_client("cloudformation")


def local_secret(port: int) -> str:
    """The secret of the system that runs on a port; this process's client goes there."""
    try:
        state = json.loads(state_file(port).read_text())
    except FileNotFoundError as error:
        raise CannotSignError(f"nothing runs on port {port}: start it with `make run AUTH=on PORT={port}`") from error
    if not state["signing_keys"]:
        raise CannotSignError(f"what runs on port {port} asks for no token: start it with `make run AUTH=on`")
    if state["embedded"]:
        use_embedded(state["table"])
        os.environ[SECRETS_VARIABLE] = state["table"]
    return str(state["signing_keys"])


def make(grant: Grant, days: int, secret: str) -> str:
    """Sign a token with the newest key of a secret, good for so many days from now."""
    issued_at = int(clock.now())
    key = signing_keys.current(signing_keys.client(), secret)
    return sign(grant, key, issued_at, issued_at + days * DAY_SECONDS)


def _days(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days")
    return int(text)


def _check_days(scope: Scope, days: int) -> None:
    if days > MAX_DAYS[scope]:
        raise CannotSignError(f"--days {days}: a token of scope {scope} is good for at most {MAX_DAYS[scope]} days")


def _run(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no workflow run's id")
    return int(text)


def main() -> None:
    """Print a token, and say beside it what it is good for."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("--scope", required=True, type=Scope, choices=list(Scope))
    parser.add_argument("--days", required=True, type=_days)
    parser.add_argument("--run", type=_run, help="the one workflow run that a worker's token is for")
    parser.add_argument("--name", default=getpass.getuser(), help="whose token it is: it stands in the log")
    parser.add_argument("--stack", help="a deployed stack; without it, what runs on --port")
    parser.add_argument("--port", type=int, default=3000)
    options = parser.parse_args()
    try:
        _check_days(options.scope, options.days)
        secret = secret_of(options.stack) if options.stack else local_secret(options.port)
        token = make(Grant(options.name, options.scope, options.run), options.days, secret)
    except (CannotSignError, BotoCoreError, ClientError, ValueError) as error:
        raise SystemExit(str(error)) from error
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(clock.now() + options.days * DAY_SECONDS))
    only = "" if options.run is None else f", workflow run {options.run} only"
    print(f"a token of {options.name} for scope {options.scope}{only}, until {until}", file=sys.stderr)
    print(token)


if __name__ == "__main__":
    main()

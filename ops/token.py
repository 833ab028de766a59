"""`make token`: make a token for a deployed stack, or for a system that runs on this machine with AUTH=on.

Standard output gets only the token.
"""

import argparse
import getpass
import json
import os
import sys
import time
from typing import Any, Final

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from local.engine import use_embedded
from local.run import state_file
from local.secret import SECRETS_VARIABLE
from lockstep import clock
from lockstep.access import signing_keys
from lockstep.access.scopes import MAX_DAYS, Scope
from lockstep.access.tokens import DAY_SECONDS, Grant, sign

OUTPUT: Final = "SigningKeys"
"""The stack's output with the secret's ARN."""


class CannotSignError(Exception):
    """The token cannot be made; the message says why in one line."""


def output_of(stack: str, name: str) -> str:
    """Return an output of a deployed stack; nothing if it has none of that name."""
    [found] = cloudformation().describe_stacks(StackName=stack)["Stacks"]
    return next((str(each["OutputValue"]) for each in found.get("Outputs", []) if each["OutputKey"] == name), "")


def secret_of(stack: str) -> str:
    """Return the ARN of a deployed stack's secret."""
    if secret := output_of(stack, OUTPUT):
        return secret
    raise CannotSignError(f"stack {stack} has no output {OUTPUT}: it was deployed with AuthMode=iam, or is no Lockstep")


def cloudformation() -> Any:
    """Make a client for the region of AWS_DEFAULT_REGION or of the profile, as SAM does."""
    try:
        return botocore.session.get_session().create_client("cloudformation")
    except NoRegionError as error:
        raise CannotSignError("name the stack's region: AWS_DEFAULT_REGION=us-east-1, or a profile") from error


def local_secret(port: int) -> str:
    """Return the name of the secret of the system on a port, and direct this process's client to it."""
    try:
        state = json.loads(state_file(port).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CannotSignError(f"nothing runs on port {port}: start it with `make run AUTH=on PORT={port}`") from error
    if not state["signing_keys"]:
        raise CannotSignError(f"what runs on port {port} asks for no token: start it with `make run AUTH=on`")
    if state["embedded"]:
        use_embedded(state["table"])
        os.environ[SECRETS_VARIABLE] = state["table"]
    return str(state["signing_keys"])


def make(grant: Grant, days: int, secret: str) -> str:
    """Sign a token with a secret's current key, valid for some days from now."""
    issued_at = int(clock.now())
    key = signing_keys.current(signing_keys.client(), secret)
    return sign(grant, key, issued_at, issued_at + days * DAY_SECONDS)


def _days(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days: give a whole number above 0")
    return int(text)


def _check_days(scope: Scope, days: int) -> None:
    if days > MAX_DAYS[scope]:
        raise CannotSignError(f"--days {days}: a token of scope {scope} is good for at most {MAX_DAYS[scope]} days")


def _run(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no workflow run's id: give a whole number")
    return int(text)


def main() -> None:
    """Print a token, and describe it on standard error."""
    parser = argparse.ArgumentParser(prog="make token", description=__doc__)
    parser.add_argument("--scope", required=True, choices=[scope.value for scope in Scope])
    parser.add_argument("--days", required=True, type=_days)
    parser.add_argument("--run", type=_run, help="the only workflow run that a worker's token allows")
    parser.add_argument("--name", default=getpass.getuser(), help="the token's owner, whom the log shows")
    parser.add_argument("--stack", help="the deployed stack; without it, the system on --port")
    parser.add_argument("--port", type=int, default=3000, help="the port of the running system")
    options = parser.parse_args()
    try:
        scope = Scope(options.scope)
        _check_days(scope, options.days)
        secret = secret_of(options.stack) if options.stack else local_secret(options.port)
        token = make(Grant(options.name, scope, options.run), options.days, secret)
    except (CannotSignError, BotoCoreError, ClientError, ValueError) as error:
        raise SystemExit(str(error)) from error
    until = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(clock.now() + options.days * DAY_SECONDS))
    only = "" if options.run is None else f", workflow run {options.run} only"
    print(f"a token of {options.name} for scope {scope}{only}, until {until}", file=sys.stderr)
    print(token)


if __name__ == "__main__":
    main()

"""Read the deployment's URL and the token from the command line and the environment."""

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

PREFIX: Final = "/api/v3"
THIS_MACHINE: Final = {"localhost", "127.0.0.1", "::1"}
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""RFC 6750's characters. The HTTP library prints a header that it refuses, so no other token reaches it."""


class UsageError(Exception):
    """Verification cannot start. The message says why and what to do."""


class Target(NamedTuple):
    """The deployment's URL and the token for it; an empty token sends none."""

    url: str
    """Without /api/v3 and without a slash at its end."""
    token: str


def read_target(url: str, token: str) -> Target:
    """Check and normalise what the caller gave.

    Raises:
        UsageError: the URL or the token is unusable. The message holds neither a token nor a password.

    >>> read_target("https://abc.execute-api.us-east-1.amazonaws.com/v1/api/v3/", "").url
    'https://abc.execute-api.us-east-1.amazonaws.com/v1'
    """
    if not url:
        raise UsageError("no URL: run `make verify URL=https://... TOKEN=...`, with the stack's output ApiUrl as URL")
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.port is None or parts.port else None
    except ValueError:
        host = None
    if not host or parts.scheme not in {"http", "https"}:
        raise UsageError("URL must begin with http:// or https:// and name a host")
    if "@" in parts.netloc:
        raise UsageError("URL must not hold a user or a password: give the token as TOKEN=...")
    if parts.query or parts.fragment:
        raise UsageError("URL must not hold a query or a fragment")
    if token and not _TOKEN.fullmatch(token):
        raise UsageError("TOKEN holds a character that no token has: a space or a line break, perhaps")
    path = parts.path.rstrip("/").removesuffix(PREFIX).rstrip("/")
    return Target(f"{parts.scheme}://{parts.netloc}{path}", token)

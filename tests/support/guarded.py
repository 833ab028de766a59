"""A system that asks for tokens, and the tokens for it."""

import ssl
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Final

import httpx

from lockstep.access import signing_keys
from lockstep.access.scopes import Scope
from lockstep.access.tokens import Grant, sign
from lockstep.clock import now

SECRET = "signing-keys"  # noqa: S105  # the secret's name

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For clients of what speaks plain HTTP: without it, httpx reads all of the machine's certificates for each client."""

_NUMBERS = count()
_client = cache(signing_keys.client)


def _key() -> str:
    return signing_keys.current(_client(), SECRET)


@dataclass(frozen=True, slots=True)
class Guarded:
    """Where it is served."""

    url: str

    def token(self, scope: Scope, run: int | None = None) -> str:
        """One that has not been used yet."""
        at = int(now())
        return sign(Grant(f"test-{next(_NUMBERS)}", scope, run), _key(), at, at + 3_600)

    def expired(self, scope: Scope) -> str:
        """One that was good until a second ago."""
        at = int(now())
        return sign(Grant("test", scope), _key(), at - 100, at - 1)

    def forged(self, scope: Scope) -> str:
        """One that another key has signed."""
        at = int(now())
        return sign(Grant("test", scope), "x" * 64, at, at + 100)

    def with_token(self, token: str) -> str:
        """The URL as Jobmon's programs are given it."""
        return self.url.replace("://", f"://somebody:{token}@")

    def client(self, token: str) -> httpx.Client:
        """What sends a token with every request."""
        url = f"{self.with_token(token)}/api/v3"
        return httpx.Client(base_url=url, timeout=30, trust_env=False, verify=NO_TLS)

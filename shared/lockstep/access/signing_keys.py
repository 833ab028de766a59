"""The keys that tokens are signed with: a secret's present value and the one before. A rotation cuts nobody off."""

import os
import time
from collections.abc import Mapping
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lockstep.access.tokens import key_id
from lockstep.observability import logger

FRESH_SECONDS: Final = 300.0
"""A key that was taken out of the secret is valid for so long yet."""
PATIENCE_SECONDS: Final = 10.0
"""How long the secret is left alone after it could not be read."""
ASK_AGAIN_SECONDS: Final = 1.0
"""How soon a token with a key that is not known may cause another look: forged ones must not cost two calls each."""
_CONFIG: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})


class KeysUnavailableError(Exception):
    """The secret cannot be read. API Gateway answers 500 for it, which the template makes a 503."""


def current(client: Any, secret: str) -> str:
    """The key that new tokens are signed with."""
    return _read(client, secret, "AWSCURRENT")


class SigningKeys:
    """The valid keys by key_id, read when they are needed and kept for FRESH_SECONDS."""

    @classmethod
    def of_deployment(cls) -> "SigningKeys":
        """Those in the secret that the template names."""
        return cls(os.environ["SIGNING_KEYS"])

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._client: Any = None
        self._keys: dict[str, str] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")

    def valid(self) -> Mapping[str, str]:
        """The keys as they were FRESH_SECONDS ago or later; older ones if the secret cannot be read now.

        Raises:
            KeysUnavailableError: it could never be read.
        """
        if time.monotonic() - self._read_at >= FRESH_SECONDS:
            self._refresh()
        return self._keys

    def newest(self) -> Mapping[str, str]:
        """The keys as they were ASK_AGAIN_SECONDS ago or later."""
        if time.monotonic() - self._read_at >= ASK_AGAIN_SECONDS:
            self._refresh()
        return self._keys

    def _refresh(self) -> None:
        if self._keys and time.monotonic() - self._failed_at < PATIENCE_SECONDS:
            return
        self._client = self._client or client()
        try:
            found = [current(self._client, self._secret), *_before(self._client, self._secret)]
        except (BotoCoreError, ClientError) as error:
            if not self._keys:
                raise KeysUnavailableError(f"cannot read the signing keys: {error}") from error
            logger.warning("the signing keys cannot be read again: those known stay valid", exc_info=error)
            self._failed_at = time.monotonic()
        else:
            self._keys = {key_id(key): key for key in found}
            self._read_at = time.monotonic()


def client() -> Any:
    """A client for Secrets Manager, in the region of AWS_DEFAULT_REGION, which Lambda sets, or of the profile."""
    return botocore.session.get_session().create_client("secretsmanager", config=_CONFIG)


def _before(client: Any, secret: str) -> list[str]:
    """The key before the present one; none, if there was none."""
    try:
        return [_read(client, secret, "AWSPREVIOUS")]
    except client.exceptions.ResourceNotFoundException:
        return []


def _read(client: Any, secret: str, stage: str) -> str:
    return str(client.get_secret_value(SecretId=secret, VersionStage=stage)["SecretString"])

"""The keys that sign tokens: a secret's current and previous value, so that tokens outlive a rotation."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lockstep.access.tokens import MIN_KEY_BYTES, key_id
from lockstep.observability import logger

FRESH_SECONDS: Final = 300.0
"""The seconds that keys are cached: a key stays valid this long after it was removed from the secret."""
PATIENCE_SECONDS: Final = 10.0
"""The seconds between a failed read of the secret and the next one."""
ASK_AGAIN_SECONDS: Final = 1.0
"""The shortest time between reads that unknown keys cause, so that not every forged token costs two calls."""
_CONFIG: Final = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})


_CURRENT: Final = "AWSCURRENT"
_PREVIOUS: Final = "AWSPREVIOUS"


class KeysUnavailableError(Exception):
    """No key is available to verify tokens. API Gateway answers 500, which the template changes to 503."""


class UnusableKeyError(ValueError):
    """A value of the secret is binary, or too short for a signing key."""


def current(client: Any, secret: str) -> str:
    """Read the key that signs new tokens.

    Raises:
        UnusableKeyError: the secret's current value is not a key.
    """
    return _read(client, secret, _CURRENT)


class SigningKeys:
    """The valid keys by key_id, read on first use and cached for FRESH_SECONDS."""

    @classmethod
    def of_deployment(cls) -> "SigningKeys":
        """Use the secret that the template names in SIGNING_KEYS."""
        return cls(os.environ["SIGNING_KEYS"])

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._client: Any = None
        self._keys: dict[str, str] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")

    def valid(self) -> Mapping[str, str]:
        """Return keys that were read at most FRESH_SECONDS ago, or older ones if the secret cannot be read now.

        Raises:
            KeysUnavailableError: the secret could never be read, or holds no usable key.
        """
        return self._cached_for(FRESH_SECONDS)

    def newest(self) -> Mapping[str, str]:
        """Return keys that were read at most ASK_AGAIN_SECONDS ago, or older ones if the secret cannot be read now.

        Raises:
            KeysUnavailableError: as for valid.
        """
        return self._cached_for(ASK_AGAIN_SECONDS)

    def _cached_for(self, seconds: float) -> Mapping[str, str]:
        if time.monotonic() - self._read_at >= seconds:
            self._refresh()
        return self._keys

    def _refresh(self) -> None:
        if self._keys and time.monotonic() - self._failed_at < PATIENCE_SECONDS:
            return
        self._client = self._client or client()
        found = _read_values(self._client, self._secret)
        if found.unread:
            self._failed_at = time.monotonic()
        self._keys = {key_id(key): key for key in found.keys} | (self._keys if found.unread else {})
        trouble = "; ".join(found.trouble)
        if not self._keys:
            raise KeysUnavailableError(f"no signing key can be used: {trouble}")
        if trouble:
            logger.warning("some signing keys cannot be used: the others stay valid", extra={"why": trouble})
        if not found.unread:
            self._read_at = time.monotonic()


@dataclass(slots=True)
class _Found:
    """The keys that the secret holds."""

    keys: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    """A sentence for each value that is not among the keys."""
    unread: bool = False
    """Whether a value could not be read. Known keys then stay valid, because that value may hold them."""


def _read_values(client: Any, secret: str) -> _Found:
    """Read the current and the previous value, and stop at the first that cannot be read."""
    found = _Found()
    for stage in (_CURRENT, _PREVIOUS):
        try:
            found.keys.append(_read(client, secret, stage))
        except UnusableKeyError as error:
            found.trouble.append(str(error))
        except client.exceptions.ResourceNotFoundException as error:
            if stage == _CURRENT:
                found.trouble.append(f"{stage} cannot be read: {error}")
                found.unread = True
            break
        except (BotoCoreError, ClientError) as error:
            found.trouble.append(f"{stage} cannot be read: {error}")
            found.unread = True
            break
    return found


def client() -> Any:
    """Make a Secrets Manager client for the region of AWS_DEFAULT_REGION, which Lambda sets, or of the profile."""
    return botocore.session.get_session().create_client("secretsmanager", config=_CONFIG)


def _read(client: Any, secret: str, stage: str) -> str:
    value = client.get_secret_value(SecretId=secret, VersionStage=stage).get("SecretString")
    if value is None:
        raise UnusableKeyError(f"{stage} is binary: a signing key is text")
    if len(value.encode()) < MIN_KEY_BYTES:
        raise UnusableKeyError(f"{stage} is too short: a signing key has at least {MIN_KEY_BYTES} bytes")
    return str(value)

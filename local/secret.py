"""Create the secret with the signing keys in the embedded engine."""

import os
import secrets
from typing import Final

from lockstep.access import signing_keys

SECRETS_VARIABLE: Final = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
SECRET_VARIABLE: Final = "SIGNING_KEYS"  # noqa: S105  # the variable's name


def use_new_secret(endpoint: str, name: str, key: str | None = None) -> None:
    """Create a secret with a key, or a new one, and let this process and its children use it."""
    os.environ[SECRETS_VARIABLE] = endpoint
    os.environ[SECRET_VARIABLE] = name
    signing_keys.client().create_secret(Name=name, SecretString=key or secrets.token_urlsafe(48))

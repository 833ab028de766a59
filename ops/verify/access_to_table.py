"""Find the table that is to be checked, and make a client for it."""

import os
from typing import Any, Final
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoRegionError

from local.running import NotRunningError, use_running
from ops.audit.__main__ import table_of
from ops.audit.reader import CannotReadError
from ops.verify.target import UsageError

_THIS_MACHINE: Final = {"localhost", "127.0.0.1", "::1"}
_NO_REGION: Final = "name the table's region: REGION=us-east-1, or AWS_DEFAULT_REGION"


def find_table(url: str, stack: str | None, table: str | None, region: str | None) -> tuple[Any, str]:
    """Return a client and the table's name.

    Raises:
        UsageError: the table cannot be found.
    """
    parts = urlsplit(url)
    if region:
        os.environ["AWS_DEFAULT_REGION"] = region
    try:
        if parts.hostname in _THIS_MACHINE:
            use_running(parts.port or 80)
        name = table or table_of(stack or "")
        config = Config(retries={"mode": "standard", "total_max_attempts": 10})
        return botocore.session.get_session().create_client("dynamodb", region_name=region, config=config), name
    except (CannotReadError, NotRunningError) as error:
        raise UsageError(str(error)) from error
    except NoRegionError as error:
        raise UsageError(_NO_REGION) from error
    except BotoCoreError as error:
        raise UsageError(str(error)) from error

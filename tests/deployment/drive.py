"""Drives every function through its scenarios and prints what each asked of AWS.

It does so in a process of its own, on tables in memory; nothing strikes the scenarios of the faults. Its output is one
JSON object: what each function needs to be allowed, and the places of the layer that asked.
"""

import json
import os
import sys
from typing import Final
from unittest.mock import patch

from local import gateway
from local.engine import dynamodb
from local.secret import use_new_secret
from tests.conformance import recording
from tests.deployment.recorder import Recorder
from tests.deployment.scenarios import SCENARIOS
from tests.support.memory import in_memory
from tests.verification.faults.engine import working
from tests.verification.faults.matrix import limited, play_clean
from tests.verification.faults.scenarios import SCENARIOS as OF_THE_FAULTS

ENVIRONMENT: Final = {"TABLE_NAME": "Table", "POWERTOOLS_LOG_LEVEL": "CRITICAL"}
"""What template.yaml refers to is called by its logical id, so that what is asked can be told by it."""


def main() -> None:
    """Print it; end with a traceback where a scenario does not go as it should."""
    recorder = Recorder()
    invoked = (patch.object(module, "invoke", recorder.invoke) for module in (gateway, recording))
    with next(invoked), next(invoked), dynamodb(os.environ["TABLE_NAME"]) as endpoint:
        use_new_secret(endpoint, "SigningKeys")
        player = recording.Player()
        with in_memory():
            for scenario in SCENARIOS:
                scenario(player)
        with working() as world:
            for struck in OF_THE_FAULTS:
                with limited(struck):
                    play_clean(world, struck)
    seen = {function: sorted(grants) for function, grants in recorder.seen.items()}
    json.dump({"seen": seen, "places": sorted(recorder.places)}, sys.stdout)


if __name__ == "__main__":
    main()

"""Many tasks of several workflows at once through the API, each step compared with the oracle."""

from hypothesis import seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.verification.model.rules.lives import LifeRules
from tests.verification.model.system import system
from tests.verification.model.tally import Tally


class Machine(LifeRules):
    """All rules of the walk. Each sends requests, and after each request everything is compared."""


def walk(walking: settings, number: int | None = None) -> Tally:
    """What was met; raises what the first example to fail raised. A number is a seed, if the settings do not say."""
    with system() as made:
        Machine.system, Machine.tally = made, Tally()
        run_state_machine_as_test(Machine if number is None else seed(number)(Machine), settings=walking)
    return Machine.tally

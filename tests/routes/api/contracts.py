"""The contracts of the routes in functions/api."""

from functions.api.get_time.app import TimeReply
from functions.api.health.app import HealthReply
from lockstep import clock
from lockstep.access.scopes import Scope
from tests.support.contract import Contract, Usage

GET_TIME = Contract(
    scope=Scope.WORKER,
    usage=Usage(0, 0, 0),
    reads="nothing",
    largest=TimeReply(time=clock.naive(0)),
    unknown=None,
)
HEALTH = Contract(scope=Scope.WORKER, usage=Usage(0, 0, 0), reads="nothing", largest=HealthReply(), unknown=None)

"""What every request must be answered, and what stands after it: the rules once more, in plain Python.

Written from the tables that docs/state-machine.md shows and from what docs/departures.md and the decisions say, not
from lockstep.fsm, which it judges. A route is a method: it moves the state and returns the reply's body.
"""

from tests.verification.model.oracle.binding import Binding
from tests.verification.model.oracle.distributor import Distributor
from tests.verification.model.oracle.reading import Reading
from tests.verification.model.oracle.worker_node import WorkerNode
from tests.verification.model.oracle.workflow import Workflows
from tests.verification.model.oracle.workflow_run import WorkflowRuns


class Oracle(Binding, Distributor, WorkerNode, Workflows, WorkflowRuns, Reading):
    """All routes."""

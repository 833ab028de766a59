"""Show a workflow run."""

from lockstep.errors import NotFoundError
from lockstep.http.endpoint import endpoint
from lockstep.workflow_run.path import RunPath
from lockstep.workflow_run.read import read_run
from lockstep.workflow_run.views import RunView, run_view


@endpoint("show_run")
def lambda_handler(path: RunPath) -> RunView:
    """Show the run. The read may lag."""
    run = read_run(path.workflow_run_id)
    if run is None:
        raise NotFoundError(f"workflow run {path.workflow_run_id} does not exist")
    return run_view(path.workflow_run_id, run)

"""POST /api/v3/array/{array_id}/log_distributor_id: the ids that the cluster gave a batch."""

from typing import Annotated

from pydantic import BeforeValidator, RootModel

from lockstep.clock import BULK_BUDGET_SECONDS, Deadline
from lockstep.endpoint import endpoint
from lockstep.keys import InstanceKey, by_instance
from lockstep.store import log_distributor_ids
from lockstep.wire import ArrayPath, DistributorId, Reply


class DistributorIds(RootModel[Annotated[dict[InstanceKey, DistributorId], BeforeValidator(by_instance)]]):
    """Distributor ids by task instance id. A key that is no instance's id is ignored."""


class DistributorIdsReply(Reply):
    """It is always so."""

    success: bool = True


@endpoint(ArrayPath, DistributorIds)
def lambda_handler(path: ArrayPath, body: DistributorIds) -> DistributorIdsReply:
    """Store them, whatever the status, for instances of this array."""
    log_distributor_ids(body.root, path.array_id, Deadline(BULK_BUDGET_SECONDS))
    return DistributorIdsReply()

"""POST /api/v3/array/{array_id}/log_distributor_id: the ids that the cluster gave a batch."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, RootModel

from lockstep.clock import BULK_BUDGET_SECONDS, Deadline
from lockstep.endpoint import endpoint
from lockstep.keys import by_instance, only_instance_ids
from lockstep.store import log_distributor_ids
from lockstep.wire import MAX_IDS_PER_CALL, ArrayPath, DistributorId, Reply

ByInstance = Annotated[dict[str, DistributorId], Field(max_length=MAX_IDS_PER_CALL), BeforeValidator(only_instance_ids)]


def _other_keys_hold_anything(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {
        "^[1-9][0-9]{0,11}([0-9][0-9][1-9]|[0-9][1-9]0|[1-9]00)$": schema.pop("additionalProperties")
    }


class DistributorIds(RootModel[ByInstance]):
    """Distributor ids by task instance id. A key that is no instance's id is ignored."""

    model_config = ConfigDict(json_schema_extra=_other_keys_hold_anything)


class DistributorIdsReply(Reply):
    """It is always so."""

    success: bool = True


@endpoint(ArrayPath, DistributorIds)
def lambda_handler(path: ArrayPath, body: DistributorIds) -> DistributorIdsReply:
    """Store them, whatever the status, for instances of this array."""
    log_distributor_ids(by_instance(body.root), path.array_id, Deadline(BULK_BUDGET_SECONDS))
    return DistributorIdsReply()

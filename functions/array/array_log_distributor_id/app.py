"""Store the ids that the cluster gave a batch."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, RootModel

from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_IDS_PER_CALL, DistributorId
from lockstep.http.models import ArrayPath, Reply
from lockstep.task_instance.bulk import log_distributor_ids
from lockstep.task_instance.item import by_instance, only_instance_ids

ByInstance = Annotated[dict[str, DistributorId], Field(max_length=MAX_IDS_PER_CALL), BeforeValidator(only_instance_ids)]


def _other_keys_hold_anything(schema: dict[str, Any]) -> None:
    schema["patternProperties"] = {
        "^[1-9][0-9]{0,11}([0-9][0-9][1-9]|[0-9][1-9]0|[1-9]00)$": schema.pop("additionalProperties")
    }


class DistributorIds(RootModel[ByInstance]):
    """Distributor ids by task instance id. A key that is no instance's id is ignored."""

    model_config = ConfigDict(json_schema_extra=_other_keys_hold_anything)


class DistributorIdsReply(Reply):
    """Always true."""

    success: bool = True


@endpoint("array_log_distributor_id")
def lambda_handler(path: ArrayPath, body: DistributorIds) -> DistributorIdsReply:
    """Store the ids of this array's instances, whatever their status."""
    log_distributor_ids(by_instance(body.root), path.array_id)
    return DistributorIdsReply()

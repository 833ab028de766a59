"""Store the ids that the cluster gave a batch."""

from typing import Annotated, Final

from pydantic import BeforeValidator, Field, RootModel

from lockstep.array.path import ArrayPath
from lockstep.http.endpoint import endpoint
from lockstep.http.fields import MAX_IDS_PER_CALL, UsableDistributorId
from lockstep.http.models import Reply
from lockstep.observability import count, logger
from lockstep.task_instance.bulk import log_distributor_ids
from lockstep.task_instance.item import by_instance, only_instance_ids

ByInstance = Annotated[
    dict[str, UsableDistributorId], Field(max_length=MAX_IDS_PER_CALL), BeforeValidator(only_instance_ids)
]
MOST_NAMED: Final = 20


class DistributorIds(RootModel[ByInstance]):
    """Distributor ids by task instance id. A key that is no instance's id, and a value that is no id, is ignored."""

    def usable(self) -> dict[str, str]:
        """The ids that can be stored. The others are counted, and the log names some of them."""
        unusable = [key for key, value in self.root.items() if value is None]
        if unusable:
            count("UnusableDistributorIds", len(unusable))
            named = ", ".join(unusable[:MOST_NAMED])
            logger.warning("ignored %d unusable distributor ids, among them of %s", len(unusable), named)
        return {key: value for key, value in self.root.items() if value is not None}


class DistributorIdsReply(Reply):
    """Always true."""

    success: bool = True


@endpoint("array_log_distributor_id")
def lambda_handler(path: ArrayPath, body: DistributorIds) -> DistributorIdsReply:
    """Store the ids of this array's instances. One that has ended keeps the id that was said before."""
    log_distributor_ids(by_instance(body.usable()), path.array_id)
    return DistributorIdsReply()

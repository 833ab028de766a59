"""The types of fields in requests, each with its limits."""

import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from lockstep.fsm.statuses import TaskInstanceStatus
from lockstep.text import fits

MAX_IDS_PER_CALL: Final = 250_000
"""The task instances that a call lists at most. They fit a body: a distributor lists all that it knows in a status."""
MAX_TASKS_PER_CALL: Final = 10_000
"""The tasks that a call binds or queues at most: its reply names each of them."""
MAX_SETS_PER_CALL: Final = 1_000
"""The sets of requested resources that the tasks of one call name at most: 60 MB are read."""
MAX_NODES_PER_CALL: Final = 10_000
"""The nodes that a call binds, and those whose edges it adds, at most."""
MAX_NEIGHBOURS: Final = 250_000
"""The upstream nodes, and the downstream nodes, of one node at most: a reply holds as many ids of 19 digits."""
MAX_INCREMENT_SECONDS: Final = 1e9


def _text(value: Any) -> str:
    """Accept text or a finite number. Unlike pydantic's str, the text may hold lone surrogates."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(value)
    raise PydanticCustomError("text_type", "must be text")


class _AtMost(NamedTuple):
    """A limit in bytes. JSON Schema counts characters, so its `maxLength` is looser than this limit."""

    limit: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return handler(schema) | {"maxLength": self.limit, "description": f"at most {self.limit} bytes as UTF-8"}

    def check(self, value: str) -> str:
        if not fits(value, self.limit):
            raise PydanticCustomError(
                "text_too_long", "must take at most {limit} bytes as UTF-8", {"limit": self.limit}
            )
        return value


Text = Annotated[
    str,
    PlainValidator(_text),
    WithJsonSchema({"type": ["string", "number"]}, mode="validation"),
    WithJsonSchema({"type": "string"}, mode="serialization"),
]


def _check_json(value: Any, most_bytes: int) -> Any:
    """Accept JSON of so many bytes at most, nested at most MAX_RESOURCES_DEPTH deep."""
    if _is_deeper(value, MAX_RESOURCES_DEPTH):
        raise PydanticCustomError(
            "too_deep", "must not be nested more than {limit} deep", {"limit": MAX_RESOURCES_DEPTH}
        )
    try:
        taken = len(json.dumps(value, allow_nan=False))
    except ValueError:
        raise PydanticCustomError("json", "must be JSON, without NaN and infinity") from None
    if taken > most_bytes:
        raise PydanticCustomError("too_large", "must take at most {limit} bytes", {"limit": most_bytes})
    return value


def _check_resources(resources: dict[str, Any]) -> dict[str, Any]:
    _check_json(resources, MAX_RESOURCES_BYTES)
    for name in ("stdout", "stderr"):
        if isinstance(resources.get(name), str):
            _AtMost(MAX_PATH_BYTES).check(resources[name])
    return resources


def fit_resources(resources: dict[str, Any]) -> bool:
    """Return whether these resources may be bound."""
    try:
        _check_resources(resources)
    except PydanticCustomError:
        return False
    return True


def _is_deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        insides = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [item for inside in insides for item in inside]
    return any(isinstance(item, dict | list) for item in level)


MAX_RESOURCES_DEPTH: Final = 50
MAX_RESOURCES_BYTES: Final = 60_000
MAX_PATH_BYTES: Final = 4096
RequestedResources = Annotated[
    dict[str, Any],
    AfterValidator(_check_resources),
    Field(
        description=f"at most {MAX_RESOURCES_BYTES} bytes as JSON, nested at most {MAX_RESOURCES_DEPTH} deep",
        json_schema_extra={"properties": {name: {"maxLength": MAX_PATH_BYTES} for name in ("stdout", "stderr")}},
    ),
]
"""The resources that a task requests from the cluster, in its queue's own terms."""
MAX_NOTES_BYTES: Final = 10_000
Notes = Annotated[
    Any,
    AfterValidator(lambda value: _check_json(value, MAX_NOTES_BYTES)),
    Field(description=f"any JSON of at most {MAX_NOTES_BYTES} bytes"),
]
"""JSON that Lockstep stores and only Jobmon's client reads."""
ShortText = Annotated[Text, _AtMost(255)]
Key = Annotated[Text, WithJsonSchema({"type": "string"}), _AtMost(255)]
"""A key of a JSON object. JSON keys are always text, so the schema does not offer a number."""
SaidStatus = Annotated[ShortText, Field(description="a letter; one that no run has moves nothing", examples=["R"])]
"""The status that a run's client or distributor tells."""
ShortKey = Annotated[Text, WithJsonSchema({"type": "string"}), _AtMost(1_000)]
"""A key of a JSON object that Jobmon's users choose."""


def _none_if_unusable(value: Any, validate: ValidatorFunctionWrapHandler) -> str | None:
    try:
        return validate(value) or None
    except ValidationError:
        return None


DistributorId = Annotated[Text, _AtMost(150)]
UsableDistributorId = Annotated[DistributorId | None, WrapValidator(_none_if_unusable), WithJsonSchema({})]
"""A distributor id; None for a value that is none."""
Nodename = Annotated[Text, _AtMost(255)]
FilePath = Annotated[Text, _AtMost(MAX_PATH_BYTES)]
Name = Annotated[Text, _AtMost(1_000)]
LongText = Annotated[Text, _AtMost(150_000)]
Command = Annotated[Text, _AtMost(300_000)]
MAX_ATTRIBUTES: Final = 10_000
"""The attributes of one workflow or task that a call notes at most: they share a partition of the table, which takes
1,000 writes a second.
"""
MAX_ATTRIBUTES_PER_CALL: Final = 50_000
"""The attributes of all tasks that a call notes at most: 100 for each of the 500 tasks that Jobmon sends."""
MAX_ARGUMENT_BYTES: Final = 10_000
ArgumentValue = Annotated[Text, _AtMost(MAX_ARGUMENT_BYTES)]
MAX_ARGUMENTS_PER_CALL: Final = 50_000
Attributes = Annotated[dict[ShortKey, Name | None], Field(max_length=MAX_ATTRIBUTES)]
"""Named values that a client notes of a workflow or a task."""
Id = Annotated[int, Field(ge=1, le=2**53 - 1)]
NodeId = Annotated[int, Field(ge=1, lt=2**63)]
DagId = Annotated[int, Field(ge=0, lt=2**63)]
"""Jobmon's clients send their hash of the DAG, which is a whole number below 2**61."""
SmallCount = Annotated[int, Field(ge=0, lt=2**31)]
ProcessGroupId = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Increment = Annotated[
    float, Field(allow_inf_nan=False, ge=-MAX_INCREMENT_SECONDS, le=MAX_INCREMENT_SECONDS, description="seconds")
]
MAX_FILTERS: Final = 50
"""The values that a filter of a list takes at most."""
Cursor = Annotated[
    str, Field(pattern="^[0-9]{1,16}(-[0-9]{1,16})?$", description="as the page before this one gave it")
]
"""The position at which a page of a list begins."""
Ids = Annotated[list[int], Field(max_length=MAX_IDS_PER_CALL)]


def _check_error_state(status: TaskInstanceStatus) -> TaskInstanceStatus:
    if status not in _REPORTED_ENDS:
        raise PydanticCustomError("error_state", "must be one of E, F, U, Z")
    return status


_REPORTED_ENDS: Final = frozenset(
    {
        TaskInstanceStatus.ERROR,
        TaskInstanceStatus.UNKNOWN_ERROR,
        TaskInstanceStatus.RESOURCE_ERROR,
        TaskInstanceStatus.ERROR_FATAL,
    }
)
ErrorState = Annotated[
    TaskInstanceStatus,
    AfterValidator(_check_error_state),
    WithJsonSchema({"type": "string", "enum": sorted(_REPORTED_ENDS), "description": "how an attempt may have failed"}),
]


def _moment(value: Any) -> float:
    """Accept an ISO 8601 date and time; without a zone it is UTC, as GET /time tells it."""
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise PydanticCustomError("moment", "must be a time such as 2026-01-31 23:59:59") from None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


Moment = Annotated[
    float, PlainValidator(_moment), WithJsonSchema({"type": "string", "examples": ["2026-01-31 23:59:59"]})
]
"""Seconds since 1970, sent as a date and time."""


def _check_hash(value: str) -> str:
    if not _HASH.fullmatch(value):
        raise PydanticCustomError("hash", "must be a whole number of at most {limit} digits", {"limit": _HASH_DIGITS})
    return value


_HASH_DIGITS: Final = 150
_HASH: Final = re.compile(rf"[0-9]{{1,{_HASH_DIGITS}}}")
_OF_HASH: Final[dict[str, Any]] = {"type": ["string", "integer"], "pattern": f"^{_HASH.pattern}$", "minimum": 0}
Hash = Annotated[Text, AfterValidator(_check_hash), WithJsonSchema(_OF_HASH, mode="validation")]
"""A hash that a client made, in decimal digits. It stays text: it has 78 digits."""
HashNumber = Annotated[
    Hash, AfterValidator(lambda digits: str(int(digits))), WithJsonSchema(_OF_HASH, mode="validation")
]
"""A hash that is the same number however many zeros lead it: Jobmon's server reads a workflow's hashes with int()."""


def _check_sought(value: str) -> str:
    digits = str(int(_check_hash(value.removeprefix("-"))))
    return f"-{digits}" if value.startswith("-") else digits


SoughtHash = Annotated[
    Text, AfterValidator(_check_sought), WithJsonSchema({"type": "string", "pattern": f"^-?{_HASH.pattern}$"})
]
"""The hash of what is looked for. No client makes a negative one, so nothing is found."""


def _check_decimal(value: Any) -> Any:
    """Accept only digits, at most as many as a DynamoDB number holds. int() would accept underscores and spaces."""
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise PydanticCustomError("int_parsing", "must be a whole number")
    return value


def _check_whole(value: Any) -> Any:
    """Accept a whole number or its digits. int() would accept true, underscores and spaces."""
    if isinstance(value, bool):
        raise PydanticCustomError("int_type", "must be a whole number")
    return _check_decimal(value)


WHOLE: Final = BeforeValidator(_check_whole)
"""Behind a number's limits: before them, pydantic would leave them out of the number's description."""
WholeNumber = Annotated[int, WHOLE]
"""A number in a query or a body, without limits."""
PageSize = Annotated[int, Field(ge=1, le=100), WHOLE]
IdInQuery = Annotated[int, Field(ge=1, le=2**53 - 1), WHOLE]


def _check_node_args(args: dict[int, str]) -> dict[int, str]:
    if len(json.dumps(args)) > MAX_NODE_ARGS_BYTES:
        raise PydanticCustomError("too_large", "must take at most {limit} bytes", {"limit": MAX_NODE_ARGS_BYTES})
    return args


def _check_node_arg(value: str) -> str:
    if len(value) > MAX_NODE_ARG_CHARACTERS:
        raise PydanticCustomError(
            "text_too_long", "must have at most {limit} characters", {"limit": MAX_NODE_ARG_CHARACTERS}
        )
    return value


MAX_NODE_ARG_CHARACTERS: Final = 2_048
MAX_NODE_ARGS_BYTES: Final = 300_000
NodeArg = Annotated[
    Text,
    AfterValidator(_check_node_arg),
    BeforeValidator(lambda value: "" if value is None else value),
    WithJsonSchema({"type": ["string", "number", "null"], "maxLength": MAX_NODE_ARG_CHARACTERS}),
]
"""The value of a node's argument. Jobmon stores null as an empty text."""
_DIGITS: Final = 37
_DECIMAL: Final = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}")
IdInPath = Annotated[
    int,
    BeforeValidator(_check_decimal),
    WithJsonSchema({"type": "integer", "minimum": 1 - 10**_DIGITS, "maximum": 10**_DIGITS - 1}),
]
ArgIdInKey = Annotated[Id, BeforeValidator(_check_decimal)]
"""The id of an argument as a key of a JSON object."""
NodeArgs = Annotated[
    dict[ArgIdInKey, NodeArg],
    AfterValidator(_check_node_args),
    Field(
        description=f"values by the ids of arguments; at most {MAX_NODE_ARGS_BYTES} bytes as JSON",
        json_schema_extra={"propertyNames": {"pattern": "^[1-9][0-9]{0,14}$"}},
    ),
]

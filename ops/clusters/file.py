"""The models of a clusters file, and what must hold within it."""

import json
from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from lockstep.cluster.builtin import FIRST_ID, Cluster, Queue
from lockstep.cluster.known import BUILT_IN
from lockstep.dynamodb.item import MAX_ID
from ops.clusters.document import Document, FileError, Place, Problem, read_document, shown

MOST_BYTES_OF_A_NAME: Final = 255
MOST_BYTES_OF_PARAMETERS: Final = 20_000
NO_PART_OF_A_PATH: Final = "/\\?#%"
"""Characters that no name may hold: Jobmon's programs put names into a URL as they are."""


def literal(limits: Any) -> str:
    """Limits as a Python literal. A list becomes a tuple, as Jobmon writes ranges.

    >>> literal({"cores": [1, 20], "ratio": 0.5, "tags": ["a"]})
    "{'cores': (1, 20), 'ratio': 0.5, 'tags': ('a',)}"
    """
    return repr(_tuples(limits))


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(map(_tuples, value))
    return {name: _tuples(each) for name, each in value.items()} if isinstance(value, dict) else value


def _check_name(name: str) -> str:
    if not name.isprintable() or name.strip() != name or name in {"", ".", ".."}:
        raise PydanticCustomError("name", "must be printable text, without blanks around it")
    if any(character in NO_PART_OF_A_PATH for character in name):
        raise PydanticCustomError("name", "must be part of a URL: no / \\ ? # %")
    if len(name.encode()) > MOST_BYTES_OF_A_NAME:
        raise PydanticCustomError("name", "must take at most {most} bytes", {"most": MOST_BYTES_OF_A_NAME})
    return name


def _check_plugin(name: str) -> str:
    if not name.isidentifier() or len(name.encode()) > MOST_BYTES_OF_A_NAME:
        raise PydanticCustomError("plugin", "must be the plugin's module in jobmon.plugins")
    return name


def _check_connection(parameters: dict[str, Any]) -> dict[str, Any]:
    if "cluster_name" in parameters:
        raise PydanticCustomError("connection", "must not hold cluster_name, which the distributor is given anyway")
    return _check_size(parameters, json.dumps(parameters))


def _check_limits(limits: dict[str, Any]) -> dict[str, Any]:
    return _check_size(limits, literal(limits))


def _check_size(parameters: dict[str, Any], text: str) -> dict[str, Any]:
    if len(text.encode()) > MOST_BYTES_OF_PARAMETERS:
        raise PydanticCustomError("size", "must take at most {most} bytes", {"most": MOST_BYTES_OF_PARAMETERS})
    return parameters


Name = Annotated[str, AfterValidator(_check_name)]
OwnId = Annotated[int, Field(ge=FIRST_ID, le=MAX_ID)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class QueueEntry(_Entry):
    """A queue."""

    name: Name
    id: OwnId
    parameters: Annotated[dict[str, Any], AfterValidator(_check_limits)] = {}
    """Its limits."""

    def queue(self) -> Queue:
        """The queue as it is stored and answered."""
        return Queue(self.id, self.name, literal(self.parameters))


class ClusterEntry(_Entry):
    """A cluster."""

    name: Name
    id: OwnId
    type: Annotated[str, AfterValidator(_check_plugin)]
    connection_parameters: Annotated[dict[str, Any], AfterValidator(_check_connection)] | None = None
    queues: Annotated[list[QueueEntry], Field(min_length=1)]

    def cluster(self) -> Cluster:
        """The cluster as it is stored and answered."""
        given = self.connection_parameters
        return Cluster(self.id, self.name, self.type, None if given is None else json.dumps(given))


class ClustersFile(_Entry):
    """A whole file."""

    clusters: Annotated[list[ClusterEntry], Field(min_length=1)]


def parse(raw: bytes) -> tuple[Document, ClustersFile]:
    """Read a file.

    Raises:
        FileError: something in it is wrong.
    """
    document = read_document(raw)
    try:
        file = ClustersFile.model_validate(document.data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        raise FileError([document.problem(each["loc"], each["msg"]) for each in found]) from error
    if problems := [*_problems(document, file)]:
        raise FileError(problems)
    return document, file


def _problems(document: Document, file: ClustersFile) -> Iterator[Problem]:
    """Yield a problem for each name and id that occurs twice or is built in."""
    seen: set[tuple[str, object]] = set()

    def check(kind: str, value: object, place: Place, what: str) -> Iterator[Problem]:
        if (kind, value) in seen:
            yield document.problem(place, f"{what} already")
        seen.add((kind, value))

    for number, cluster in enumerate(file.clusters):
        here: Place = ("clusters", number)
        if cluster.name in BUILT_IN.clusters:
            yield document.problem((*here, "name"), f"{cluster.name} is built in and cannot be changed")
        yield from check("cluster", cluster.name, (*here, "name"), f"{shown(cluster.name)} stands in this file")
        yield from check("cluster id", cluster.id, (*here, "id"), f"a cluster of this file has the id {cluster.id}")
        for position, queue in enumerate(cluster.queues):
            there: Place = (*here, "queues", position)
            name = (number, queue.name)
            yield from check("queue", name, (*there, "name"), f"the cluster has a queue {shown(queue.name)}")
            yield from check("queue id", queue.id, (*there, "id"), f"a queue of this file has the id {queue.id}")

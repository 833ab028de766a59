"""The kinds of items in the table, each once. Programs that read a whole table find an item's model here."""

import re
from typing import Final, NamedTuple

from lockstep.array.item import Array, ArrayLookup, Batch
from lockstep.cluster.item import Clusters
from lockstep.dag.item import Dag, Edge, EdgePart, NodeArgs
from lockstep.dynamodb.counters import Counter
from lockstep.dynamodb.item import Item, Key
from lockstep.task.bound_item import ArgumentChunk, Resources, Spec, TaskAttribute, TaskLookup
from lockstep.task.item import Task
from lockstep.task_instance.item import ErrorEntry, ErrorText, Log, TaskInstance
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.tool.item import Tool, ToolLookup, ToolVersion, VersionOfTool
from lockstep.workflow.item import (
    PassedTasks,
    RunOfWorkflow,
    TaskRange,
    Workflow,
    WorkflowAttribute,
    WorkflowLookup,
    WorkflowSpec,
)
from lockstep.workflow_run.item import WorkflowRun

PLURALS: Final[dict[type[Item], str]] = {
    Task: "tasks",
    Spec: "specifications",
    TaskInstance: "task instances",
    Log: "logs",
    ErrorEntry: "error entries",
    ErrorText: "long error texts",
    TaskAttribute: "attributes of tasks",
    ArgumentChunk: "arguments of tasks",
    Array: "arrays",
    Batch: "batches",
    Workflow: "workflows",
    WorkflowSpec: "specifications of workflows",
    WorkflowAttribute: "attributes of workflows",
    TaskRange: "ranges of task ids",
    PassedTasks: "notes of tasks passed",
    RunOfWorkflow: "pointers to runs",
    WorkflowLookup: "lookups of workflows",
    WorkflowRun: "workflow runs",
    Resources: "resources",
    Clusters: "lists of clusters",
    ArrayLookup: "lookups of arrays",
    TaskLookup: "lookups of tasks",
    Tool: "tools",
    ToolVersion: "tool versions",
    VersionOfTool: "entries in lists of tool versions",
    ToolLookup: "lookups of tools",
    TaskTemplate: "task templates",
    TemplateVersion: "task template versions",
    TemplateLookup: "lookups of task templates",
    NodeArgs: "chunks of node arguments",
    Dag: "DAGs",
    Edge: "nodes of DAGs",
    EdgePart: "parts of long lists of neighbours",
    Counter: "counters",
}
"""The name of each kind in the plural, by its model."""

_PARTS: Final = {
    "<id>": r"([1-9]\d{0,15}|0)",
    "<id16>": r"(\d{16})",
    "<hash>": r"(?:-?[1-9]\d{0,149}|0)",
    "<long>": r"([1-9]\d{0,18}|0)",
    "<nnn>": r"(\d{3})",
    "<digest>": r"[0-9a-f]{13}",
    "<sha>": r"[0-9a-f]{64}",
    "<text>": r"(?s:.*)",
}


class Kind(NamedTuple):
    """The model of an item, and the ids and numbers that its key carries, in order."""

    model: type[Item]
    ids: tuple[int, ...]


def kind_of(key: Key) -> Kind | None:
    """The model whose key has this form, or None.

    >>> kind_of(Key("TASK#42", "TI#003"))
    Kind(model=<class 'lockstep.task_instance.item.TaskInstance'>, ids=(42, 3))
    >>> kind_of(Key("TASK#42", "TI#3")) is None
    True
    """
    for pk_pattern, sk_pattern, model in _PATTERNS:
        of_pk, of_sk = pk_pattern.fullmatch(key.pk), sk_pattern.fullmatch(key.sk)
        if of_pk and of_sk:
            return Kind(model, tuple(map(int, of_pk.groups() + of_sk.groups())))
    return None


def _pattern(form: str) -> re.Pattern[str]:
    return re.compile("".join(_PARTS.get(part, re.escape(part)) for part in re.split("(<[a-z0-9]+>)", form)))


_PATTERNS: Final = [(_pattern(form.pk), _pattern(form.sk), model) for model in PLURALS for form in model.KEY_FORMS]

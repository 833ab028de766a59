"""Task templates and their versions: find or create them by their natural keys."""

from typing import Final, NamedTuple

from lockstep.dynamodb.client import ConditionFailedError, reach
from lockstep.dynamodb.counters import allocate
from lockstep.dynamodb.puts import put_new
from lockstep.dynamodb.reads import fetch, fetch_present
from lockstep.errors import FieldError, InvalidError, NotFoundError
from lockstep.task_template.arguments import ids_by_name
from lockstep.task_template.item import TaskTemplate, TemplateLookup, TemplateVersion
from lockstep.text import size
from lockstep.tool.item import ToolVersion

MAX_VERSION_BYTES: Final = 390_000
"""Bytes of a version's command and of its arguments' names, one more a name. DynamoDB's items take 409,600."""


def bind_template(tool_version_id: int, name: str) -> int:
    """Find or create a tool version's template by its name, and return its id.

    Callers that race with the same name get the same template.

    Raises:
        InvalidError: the tool version does not exist.
    """
    owner, lookup = ToolVersion.key(tool_version_id), TemplateLookup.key(tool_version_id, name)
    found = fetch_present([owner, lookup])
    if owner not in found:
        raise InvalidError([FieldError("tool_version_id", f"tool version {tool_version_id} does not exist")])
    return TemplateLookup.from_raw_data(found[lookup]).id if lookup in found else _create(tool_version_id, name)


def _create(tool_version_id: int, name: str) -> int:
    [task_template_id] = allocate("task_template", 1)
    lookup = TemplateLookup(*TemplateLookup.key(tool_version_id, name), id=task_template_id)
    template = TaskTemplate(*TaskTemplate.key(task_template_id), tool_version_id=tool_version_id, name=name)
    winner = put_new(lookup, template)
    return TemplateLookup.from_raw_data(winner).id if winner else task_template_id


class NewVersion(NamedTuple):
    """A command, the names of its arguments by kind, and the client's hash of these names."""

    command_template: str
    arg_mapping_hash: str
    node_args: list[str]
    task_args: list[str]
    op_args: list[str]


def add_version(task_template_id: int, new: NewVersion) -> TemplateVersion:
    """Find or create a template's version by its command, without blanks around it, and its hash.

    A version that exists keeps its arguments, whatever the caller lists. Callers that race get the same version.

    Raises:
        InvalidError: the version is too large for an item, or two of its arguments have one id.
        NotFoundError: the template does not exist.
    """
    new = new._replace(command_template=new.command_template.strip())
    _check_size(new)
    _check_ids(new)
    template = TaskTemplate.key(task_template_id)
    key = TemplateVersion.key(task_template_id, new.command_template, new.arg_mapping_hash)
    found = fetch_present([template, key])
    if template not in found:
        raise NotFoundError(f"task template {task_template_id} does not exist")
    if key in found:
        return TemplateVersion.from_raw_data(found[key])
    [version_id] = allocate("task_template_version", 1)
    version = TemplateVersion(*key, id=version_id, **new._asdict())
    try:
        reach(lambda: version.save(TemplateVersion.pk.does_not_exist()))
    except ConditionFailedError:
        return TemplateVersion.from_raw_data(fetch([key], consistent=True)[key])
    return version


def _check_size(new: NewVersion) -> None:
    takes = {name: sum(map(size, names)) + len(names) for name, names in _lists(new).items()}
    takes["command_template"] = size(new.command_template)
    if (taken := sum(takes.values())) > MAX_VERSION_BYTES:
        largest = max(takes, key=lambda name: takes[name])
        why = f"takes {takes[largest]} bytes, and the version {taken}: it may take {MAX_VERSION_BYTES} in all"
        raise InvalidError([FieldError(largest, why)])


def _check_ids(new: NewVersion) -> None:
    """Require that different names have different ids. Of 1,000 names, two share one once in some 560 million cases."""
    first: dict[int, str] = {}
    for field, names in _lists(new).items():
        for name, number in ids_by_name(names).items():
            if first.setdefault(number, name) != name:
                why = f"{name} has the id of {first[number]}, which is a digest of the name: rename one of them"
                raise InvalidError([FieldError(field, why)])


def _lists(new: NewVersion) -> dict[str, list[str]]:
    return {"node_args": new.node_args, "task_args": new.task_args, "op_args": new.op_args}

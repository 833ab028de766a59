"""The contracts of the routes in functions/task_template."""

from functions.task_template.add_task_template_version.app import TaskTemplateVersionReply
from functions.task_template.bind_task_template.app import TaskTemplateReply
from lockstep.access.scopes import Scope
from lockstep.dynamodb.item import MAX_ID
from lockstep.http.reply import MAX_REPLY_BYTES
from tests.support.contract import Contract, Usage
from tests.support.largest import LARGEST_VERSION

ADD_TASK_TEMPLATE_VERSION = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 0, 1),
    reads="the template, one version (391 kB)",
    largest=TaskTemplateVersionReply(task_template_version=LARGEST_VERSION),
    body={
        "command_template": "run {n}",
        "arg_mapping_hash": "1",
        "node_args": ["n"],
        "task_args": [],
        "op_args": [],
    },
)
BIND_TASK_TEMPLATE = Contract(
    scope=Scope.OPERATOR,
    usage=Usage(1, 0, 1),
    reads="the tool version, one lookup",
    largest=TaskTemplateReply(task_template_id=MAX_ID),
    body={"tool_version_id": 5101, "task_template_name": "a"},
    unknown=None,
)
GET_TASK_TEMPLATE_VERSIONS = Contract(
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    reads="9 pages of versions (9 MB)",
    largest=MAX_REPLY_BYTES,
)
GET_TASK_TEMPLATES = Contract(
    scope=Scope.READER,
    usage=Usage(1, 0, 1),
    reads="10,000 lookups (11 MB)",
    largest=MAX_REPLY_BYTES,
)

"""The stored items of a task template: the template, the lookup of its id, its versions."""

import hashlib
from typing import ClassVar, Final

from lockstep.dynamodb.item import IntegerAttribute, Item, Key, TextAttribute, TextsAttribute
from lockstep.text import escape, unescape
from lockstep.tool.item import ToolVersion


class TaskTemplate(Item):
    """A task template. Never changes."""

    SORT_KEY: Final = "TEMPLATE"
    KEY_FORMS: ClassVar = (Key("TEMPLATE#<id>", SORT_KEY),)

    tool_version_id = IntegerAttribute()
    name = TextAttribute()

    @staticmethod
    def partition(task_template_id: int) -> str:
        """The partition of a template and its versions.

        >>> TaskTemplate.partition(7)
        'TEMPLATE#7'
        """
        return f"TEMPLATE#{task_template_id}"

    @staticmethod
    def key(task_template_id: int) -> Key:
        """The key of a template.

        >>> TaskTemplate.key(7)
        Key(pk='TEMPLATE#7', sk='TEMPLATE')
        """
        return Key(TaskTemplate.partition(task_template_id), TaskTemplate.SORT_KEY)


_TEMPLATE_PREFIX: Final = "TEMPLATE#"


class TemplateLookup(Item):
    """The id of the template that a tool version has by a name. Never expires."""

    KEY_FORMS: ClassVar = (Key("TOOLVERSION#<id>", f"{_TEMPLATE_PREFIX}<text>"),)

    id = IntegerAttribute()

    @staticmethod
    def key(tool_version_id: int, name: str) -> Key:
        """The key of a template's lookup.

        >>> TemplateLookup.key(12, "model")
        Key(pk='TOOLVERSION#12', sk='TEMPLATE#model')
        """
        return Key(ToolVersion.partition(tool_version_id), f"{_TEMPLATE_PREFIX}{escape(name)}")

    @property
    def name(self) -> str:
        """The template's name.

        >>> TemplateLookup(*TemplateLookup.key(12, "model")).name
        'model'
        """
        return unescape(self.sk.removeprefix(_TEMPLATE_PREFIX))


_VERSION_PREFIX: Final = "VERSION#"


class TemplateVersion(Item):
    """A version of a template: a command and its arguments. Never changes."""

    KEY_FORMS: ClassVar = (Key("TEMPLATE#<id>", f"{_VERSION_PREFIX}<sha>"),)

    id = IntegerAttribute()
    command_template = TextAttribute()
    arg_mapping_hash = TextAttribute()
    node_args = TextsAttribute()
    """Names."""
    task_args = TextsAttribute()
    op_args = TextsAttribute()

    @staticmethod
    def key(task_template_id: int, command_template: str, arg_mapping_hash: str) -> Key:
        """The key of a version: a digest of its command and of the client's hash of its arguments, which is digits.

        >>> TemplateVersion.key(7, "run", "5")
        Key(pk='TEMPLATE#7', sk='VERSION#b02e04b7301a552bc120529245f2f747bde377ad2c6d0559d2604799d40297ff')
        """
        content = f"{arg_mapping_hash} {escape(command_template)}"
        digest = hashlib.sha256(content.encode()).hexdigest()
        return Key(TaskTemplate.partition(task_template_id), f"{_VERSION_PREFIX}{digest}")

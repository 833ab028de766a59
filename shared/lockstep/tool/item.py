"""The stored items of a tool: the tool, the lookup of its id, its list of versions; and each version."""

from typing import ClassVar, Final

from lockstep.dynamodb.item import IntegerAttribute, Item, Key, TextAttribute
from lockstep.text import escape


class Tool(Item):
    """A tool. Never changes."""

    SORT_KEY: Final = "TOOL"
    KEY_FORMS: ClassVar = (Key("TOOL#<id>", SORT_KEY),)

    name = TextAttribute()

    @staticmethod
    def partition(tool_id: int) -> str:
        """The partition of a tool and of the list of its versions.

        >>> Tool.partition(7)
        'TOOL#7'
        """
        return f"TOOL#{tool_id}"

    @staticmethod
    def key(tool_id: int) -> Key:
        """The key of a tool.

        >>> Tool.key(7)
        Key(pk='TOOL#7', sk='TOOL')
        """
        return Key(Tool.partition(tool_id), Tool.SORT_KEY)


class ToolLookup(Item):
    """The id of the tool that has a name. Never expires."""

    SORT_KEY: Final = "LOOKUP"
    KEY_FORMS: ClassVar = (Key("TOOLOF#<text>", SORT_KEY),)

    id = IntegerAttribute()

    @staticmethod
    def key(name: str) -> Key:
        """The key of a tool's lookup.

        >>> ToolLookup.key("lab-tool")
        Key(pk='TOOLOF#lab-tool', sk='LOOKUP')
        """
        return Key(f"TOOLOF#{escape(name)}", ToolLookup.SORT_KEY)


_VERSION_PREFIX: Final = "VERSION#"


class VersionOfTool(Item):
    """An entry in a tool's list of versions, which is in the order of their ids. Never changes."""

    LAST: Final = f"{_VERSION_PREFIX}~"
    """A sort key that is greater than every entry's."""
    KEY_FORMS: ClassVar = (Key("TOOL#<id>", f"{_VERSION_PREFIX}<id16>"),)

    @staticmethod
    def key(tool_id: int, tool_version_id: int) -> Key:
        """The key of a version in its tool's list.

        >>> VersionOfTool.key(7, 12)
        Key(pk='TOOL#7', sk='VERSION#0000000000000012')
        """
        return Key(Tool.partition(tool_id), f"{_VERSION_PREFIX}{tool_version_id:016d}")

    @property
    def tool_version_id(self) -> int:
        """The version's id.

        >>> VersionOfTool(*VersionOfTool.key(7, 12)).tool_version_id
        12
        """
        return int(self.sk.removeprefix(_VERSION_PREFIX))


class ToolVersion(Item):
    """A version of a tool. Never changes.

    Its sort key precedes those of the version's task templates, which lie in the same partition.
    """

    SORT_KEY: Final = "OWNER"
    KEY_FORMS: ClassVar = (Key("TOOLVERSION#<id>", SORT_KEY),)

    tool_id = IntegerAttribute()

    @staticmethod
    def partition(tool_version_id: int) -> str:
        """The partition of a tool version and of the list of its task templates.

        >>> ToolVersion.partition(12)
        'TOOLVERSION#12'
        """
        return f"TOOLVERSION#{tool_version_id}"

    @staticmethod
    def key(tool_version_id: int) -> Key:
        """The key of a tool version.

        >>> ToolVersion.key(12)
        Key(pk='TOOLVERSION#12', sk='OWNER')
        """
        return Key(ToolVersion.partition(tool_version_id), ToolVersion.SORT_KEY)

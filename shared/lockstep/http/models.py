"""What all models of requests and replies have in common.

The others lie with their aggregate, or in common.py: pydantic takes long to define one, so a function should import few
that it does not use.
"""

from pydantic import BaseModel, ConfigDict


class Request(BaseModel):
    """A part of a request: its path, query or body. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    def facts(self) -> dict[str, object]:
        """Return log fields that follow from a path, beside its parameters."""
        return {}


class Reply(BaseModel):
    """A reply's body."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

"""Hold a table of a test to all that it is to list, and say what to do about what it lacks."""

from collections.abc import Set as AbstractSet


def is_listed(wanted: AbstractSet[str], listed: AbstractSet[str], to_do: str) -> None:
    """Assert that a table lists each of what is wanted, and nothing else. to_do: what whoever adds one does."""
    missing, unknown = sorted(wanted - listed), sorted(listed - wanted)
    assert not missing, f"{', '.join(missing)}: {to_do}"
    assert not unknown, f"{', '.join(unknown)}: it is listed, but there is nothing of the kind"

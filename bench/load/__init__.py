"""Lockstep under load, beside Jobmon's published server."""

from bench.row import Section


def measure() -> list[Section]:
    """Under load, and a herd: some three minutes."""
    from bench.load import measuring  # noqa: PLC0415  # so that what runs alone is not imported first

    return measuring.measure()

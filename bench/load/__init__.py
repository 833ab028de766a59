"""Lockstep under load, beside Jobmon's published server: `measure()` for the whole benchmark, or run it alone."""

from bench.load.measuring import measure

__all__ = ["measure"]

"""Workflow runs: their lifecycle, the distributor's poll, the sweep, the end of a run."""

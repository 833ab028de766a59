"""Workflows: binding them, their limits, their change feed, taking them over from a run that ends."""

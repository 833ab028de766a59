"""Lockstep: a task instance and its task move together, in one transaction, or neither moves."""

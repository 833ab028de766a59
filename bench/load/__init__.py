"""Lockstep under load, beside Jobmon's published server."""

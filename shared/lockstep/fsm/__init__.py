"""The state machines, pure: statuses, transitions with their reasons, rules of reports, guards."""

"""Programs that an operator runs against a deployment, or against a system on this machine."""

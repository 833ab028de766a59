"""Task instances: each report moves one and its task in one transaction, or neither."""

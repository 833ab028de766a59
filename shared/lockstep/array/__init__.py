"""Arrays of tasks: batches, their steps, and reports about a whole batch."""

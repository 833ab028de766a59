"""Arrays of tasks: batches, their steps, and what is done to a whole batch at once."""

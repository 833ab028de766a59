"""Changes as a stream: each move of an instance, a task, a run or a workflow as an event."""

"""What must hold of the stored items, as functions from items to findings.

table.check_table checks a small table at once: the tests of faults, of the model and of interleavings call it. The
audit streams a large table through the same checks, a task or a batch at a time.
"""

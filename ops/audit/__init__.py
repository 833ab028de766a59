"""`make audit`: check a table for contradictions. It only reads, no faster than it is told to.

invariants/     what must hold of the stored items: pure functions, which the tests call too
audit.py        the order of the checks: first what a scan shows, then second looks at what it shows wrong
reader.py       reads of the table within a budget
seen*.py, ids.py what is kept of the table while it is read
lookups.py, tools.py, dags.py, lists.py: what an item tells as it is scanned, and what it leads to
batches.py, references.py, tasks.py, workflows.py, runs.py, indexes.py, clusters.py: the second looks
report.py       the table of counts
"""

"""`make audit`: whether everything in a table fits together. It reads, slowly if it is told to, and writes nothing.

reading.py      the way to the table: scans, second looks, and what they may take
ledger.py       what is kept of each instance while the rest of the table is read
closure.py      how an instance and its task may stand at all
tasks.py        a task and its instances; batches.py, references.py, indexes.py: what else must fit
auditing.py     the order in which it is all done
printing.py     what a person sees
"""

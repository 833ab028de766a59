"""`make demo`: an array of 200 tasks from queued to done, with failures, over HTTP.

show.py runs it on a simulated cluster (sim/): fates.py is its script, array.py its workflow's client, verdict.py says
where every task ended beside where it must end.
"""

"""`make demo`: an array of 200 tasks from queued to done, with failures, over HTTP.

show.py runs it on a simulated cluster (sim/). fates.py is the script, array.py the workflow's client, and ../verdict.py
compares the status in which each task ended with the expected one.
"""

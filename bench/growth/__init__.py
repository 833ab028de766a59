"""Measure how a workflow grows: bind, follow and start over 1, 1,000, 10,000 and 100,000 tasks.

client.py sends what Jobmon's client sends; measuring.py times it and counts its units; tables.py says what was found,
and __main__.py does all of it.
"""

"""`make workflow`: Jobmon's client runs 200 tasks in a diamond of arrays, with retries, a failure and a resume.

program.py is what a user of Jobmon writes; client.py runs it. plan.py says how each task must end, view.py shows how
far they are, and show.py does all of it in turn.
"""

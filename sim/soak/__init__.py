"""`make soak`: thousands of simulated workers while everything is killed, and then whether all of it still holds.

soaking.py   from start to end; storm.py: when engine and gateway are killed, and the engine is frozen
verdict.py   whether the table is as the programs were told; show.py: what a person sees
"""

"""`make soak`: thousands of simulated workers while everything is killed, and then whether all of it still holds.

system.py       the engine and the gateway, and how they are stopped and killed; storm.py: when
client.py       one request as Jobmon's clients send it, and replies that get lost
record.py       what was told to whom: what must hold in the end
workers.py, distributor.py, workflow.py   who asks
verdict.py      whether it holds; show.py: what a person sees
"""

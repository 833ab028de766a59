"""One simulated cluster: a client, a distributor and worker nodes that run Lockstep, as Jobmon's programs would.

requests.py     every request that they send
client.py       one HTTP client, and how long Jobmon's clients wait before they send again
system.py       the system under test: how it is started, stopped, frozen and killed
cluster.py      what the programs of a cluster share: their client, their threads, the faults that they meet
life.py         the script of one attempt
worker.py, distributor.py, workflow.py   the programs
record.py       what each program was told; tally.py: what happened, counted
show.py, ending.py   the terminal and the exit code

`make demo` (local/demo), `make soak` (sim/soak), `make bench` (bench/load) and `make scale` (bench/scale) use it;
`make verify` (ops/verify) and what drives workflows in tests send its requests.
"""

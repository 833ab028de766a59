"""`make bench`: measure Lockstep cold, warm and under load, and compare it with a bare client and Jobmon's server."""

"""`make bench`: what Lockstep costs, cold, hot and under load, beside the raw client and beside Jobmon's server."""

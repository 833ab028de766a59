"""Clusters and queues, as Jobmon's programs ask for them."""

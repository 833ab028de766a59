"""DAGs: nodes, their arguments and their neighbours."""

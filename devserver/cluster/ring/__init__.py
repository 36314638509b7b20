"""The cluster's Cassandra: its jars, its nodes, a template of their data, what `nodetool` says of the ring."""

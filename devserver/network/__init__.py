"""A TCP proxy whose network can be cut, slowed and reset."""

"""A TCP proxy whose network can be cut, slowed and reset, and a TLS port in front of a server."""

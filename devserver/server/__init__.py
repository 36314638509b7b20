"""One server process: its spec, command line, start, HTTP API and log."""

"""Where a rehearsal runs: its server, network, worker processes, clock and fixture, and what the worker reports."""

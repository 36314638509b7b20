"""How a rehearsal runs: baseline, plan, sweeps, measured downtime and metrics."""

"""What the killed tools work on: tests, and a runbook with its rehearsal."""

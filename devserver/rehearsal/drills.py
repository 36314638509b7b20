"""What an operator does to a runbook: each drill is an action of a plan, and finds whether it worked."""

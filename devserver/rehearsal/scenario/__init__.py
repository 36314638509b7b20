"""What a scenario declares: runbook, moments, plan and expectations, and the result of its run."""

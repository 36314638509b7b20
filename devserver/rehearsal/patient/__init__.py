"""The patient of a rehearsal: a real cluster with a workload, which the runbook is meant to recover."""

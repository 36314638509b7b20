"""What a failed test shows, and a workflow's history as spans."""

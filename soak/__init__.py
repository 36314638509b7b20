"""Rounds of kill -9 on the real tools under load, and a table of what was left behind or lost."""

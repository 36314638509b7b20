"""Runs the worker of a user's module: a process of its own, replaced when the code changes."""

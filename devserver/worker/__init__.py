"""Runs the worker of a user's module in a process of its own, and replaces it when the code changes."""

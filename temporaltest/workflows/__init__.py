"""Workflows of a test: starting, listing, their runs, their failures; the SDK's environment."""

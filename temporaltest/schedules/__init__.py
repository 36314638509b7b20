"""Schedules in tests."""

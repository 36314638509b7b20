"""Recorded histories, and the replay of everything that ran in a test."""

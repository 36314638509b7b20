"""Drills: what an operator does to a runbook. Each is an action of a plan, and is judged like an expectation."""

from .detection import detect
from .handover import hand_over
from .messages import query, signal, update
from .pause import pause, resume
from .stop import stop, terminate

__all__ = ["detect", "hand_over", "pause", "query", "resume", "signal", "stop", "terminate", "update"]

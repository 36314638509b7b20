"""What an operator does to a runbook; each is an action of a plan, and finds out whether it works as one would hope."""

from .detection import detect
from .handover import hand_over
from .messages import query, signal, update
from .pause import pause, resume
from .stop import stop, terminate

__all__ = ["detect", "hand_over", "pause", "query", "resume", "signal", "stop", "terminate", "update"]

"""What an operator does to a runbook; each is an action of a plan, and finds out whether it works as one would hope."""

from .asking import query, update
from .detecting import detect
from .handing_over import OldWay, hand_over
from .pausing import pause, resume
from .signalling import signal
from .stopping import stop
from .terminating import terminate

__all__ = ["OldWay", "detect", "hand_over", "pause", "query", "resume", "signal", "stop", "terminate", "update"]

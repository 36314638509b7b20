"""Expectations of a run; each judges the run by its evidence."""

from . import patient
from .effects import at_least_once, compensates, exactly_once, order
from .logs import log_free_of
from .outcome import completes, fails, same_result, status
from .replays import replays
from .signals import no_signal_lost
from .times import never_idle_longer_than, recovers

__all__ = [
    "at_least_once",
    "compensates",
    "completes",
    "exactly_once",
    "fails",
    "log_free_of",
    "never_idle_longer_than",
    "no_signal_lost",
    "order",
    "patient",
    "recovers",
    "replays",
    "same_result",
    "status",
]

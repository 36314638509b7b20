"""What may be expected of a run; each judges it by its evidence."""

from .compensations import compensates
from .effects import at_least_once, exactly_once
from .ends import fails, status
from .logs import log_free_of
from .order import order
from .outcome import completes, same_result
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
    "recovers",
    "replays",
    "same_result",
    "status",
]

"""What may be expected of a run; each judges it by its evidence."""

from .effects import at_least_once, exactly_once
from .outcome import completes, same_result
from .replays import replays

__all__ = ["at_least_once", "completes", "exactly_once", "replays", "same_result"]

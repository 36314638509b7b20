"""When a call that failed is sent again.

`BUSY_SERVER` is for commands that read: a busy server is asked again, a server that is down is an error at once.
`SDK` leaves it to the SDK, which retries what is safe to send twice for about ten seconds: for calls that change
something. `through_outage` is for whoever works while the server is down on purpose. `NEVER` sends a call once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from .rpc_statuses import CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE, UNKNOWN

BUSY = (RESOURCE_EXHAUSTED,)
# UNKNOWN is the SDK's status for a connection that broke during a call.
DOWN = (UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN)


@dataclass(frozen=True)
class CallRetries:
    """When, and how often, a call is retried.

    Attributes:
        attempts: Calls in all; None: as many as `within` allows.
        within: After this many seconds no further attempt begins; None: only `attempts` counts.
        first_wait: Seconds before the second attempt; each later wait is `backoff` times as long.
        statuses: What is retried always.
        after_answer: What is retried only if the server has answered before: one that never did is not there at all.
        by_sdk: Whether the SDK retries, in place of all of the above.
        timeout: The limit of each attempt; None: the caller's.
    """

    attempts: int | None = 1
    within: float | None = None
    first_wait: float = 0.0
    backoff: float = 1.0
    statuses: Collection[int] = ()
    after_answer: Collection[int] = ()
    by_sdk: bool = False
    timeout: timedelta | None = None

    def wait(self, attempt: int, elapsed: float, status: int, *, answered: bool) -> float | None:
        """Seconds to wait after a failed attempt; None: it is not retried.

        Args:
            attempt: The number of the failed one, from 1.
            elapsed: Seconds since the first attempt began.
            answered: Whether the server has answered any call before.
        """
        passing = status in self.statuses or (answered and status in self.after_answer)
        if not passing or (self.attempts is not None and attempt >= self.attempts):
            return None
        if self.within is not None and elapsed > self.within:
            return None
        return float(self.first_wait * self.backoff ** (attempt - 1))


NEVER = CallRetries()
SDK = CallRetries(by_sdk=True)
BUSY_SERVER = CallRetries(attempts=4, first_wait=0.4, backoff=2.0, statuses=BUSY, after_answer=(UNAVAILABLE,))


def through_outage(seconds: float, *, pause: float = 0.05, timeout: timedelta = timedelta(seconds=2)) -> CallRetries:
    """Retry every `pause` seconds while the server is down, for up to `seconds`."""
    return CallRetries(attempts=None, within=seconds, first_wait=pause, statuses=(*BUSY, *DOWN), timeout=timeout)

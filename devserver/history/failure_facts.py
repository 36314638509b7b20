"""What a failure says in addition to its message: details, whether it is retried, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.api.enums.v1 import RetryState
from temporalio.api.failure.v1 import Failure

from ..client.failures import MAX_CAUSES, chain
from ..client.timestamps import to_timedelta
from ..system.timefmt import lasted
from .previews import preview, truncate

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

MAX_DETAILS = 20
# Why nothing was retried, where that is no news: it was, or the failure itself says so.
USUAL = ("", "in progress", "non retryable failure")


@dataclass(frozen=True)
class FailureFacts:
    """Facts of a whole chain of failures.

    Attributes:
        details: The details of its application failures, and the last heartbeat of an activity that timed out.
        non_retryable: Whether one of them is marked as non-retryable.
        retry_state: Why it is not retried, such as `maximum attempts reached`; empty if that is not known.
        next_retry_delay: The delay of the next attempt that the failure asks for.
    """

    details: tuple[str, ...] = ()
    non_retryable: bool = False
    retry_state: str = ""
    next_retry_delay: timedelta | None = None

    def words(self) -> Iterator[str]:
        """The facts in a few words each; none for an ordinary failure."""
        if self.non_retryable:
            yield "non-retryable"
        if self.retry_state not in USUAL:
            yield self.retry_state
        if self.next_retry_delay is not None:
            yield f"asks for a retry after {lasted(self.next_retry_delay)}"
        if self.details:
            yield f"details {', '.join(self.details)}"


NOTHING = FailureFacts()


async def failure_facts(failure: Failure, converter: DataConverter, retry_state: str = "") -> FailureFacts:
    """The facts of a chain of failures; never raises.

    Args:
        retry_state: That of the event which has the failure; else that of the failures counts.
    """
    details: list[str] = []
    non_retryable, delay = False, None
    for _, part in zip(range(MAX_CAUSES), chain(failure), strict=False):
        info: Any = getattr(part, part.WhichOneof("failure_info") or "application_failure_info")
        room = MAX_DETAILS - len(details)
        details += [await preview(truncate((payload,)), converter) for payload in _details(info)[:room]]
        non_retryable = non_retryable or bool(getattr(info, "non_retryable", False))
        retry_state = retry_state or retry_state_words(getattr(info, "retry_state", 0))
        if part.HasField("application_failure_info") and info.HasField("next_retry_delay"):
            delay = delay or to_timedelta(info.next_retry_delay)
    return FailureFacts(tuple(details), non_retryable, retry_state, delay)


def retry_state_words(state: int) -> str:
    """A `RetryState` in words: `maximum attempts reached`; empty if it is not set."""
    if not state:
        return ""
    name = RetryState.Name(state) if state in RetryState.values() else f"retry state {state}"  # type: ignore[arg-type]
    return name.removeprefix("RETRY_STATE_").replace("_", " ").lower()


def _details(info: Any) -> list[Any]:
    for name in ("details", "last_heartbeat_details"):
        if name in info.DESCRIPTOR.fields_by_name and info.HasField(name):
            return list(getattr(info, name).payloads)
    return []

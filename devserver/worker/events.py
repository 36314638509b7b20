"""What happens while a worker is supervised, as records: their kinds and facts are listed in docs/json.md."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

# The events of a worker process that its supervisor reports as they are.
ForwardedEventKind = Literal[
    "server_gone",
    "server_back",
    "workflow_task_failed",
    "nondeterminism",
    "workflow_failed",
    "activity_failed",
    "workflow_terminated",
    "answer_refused",
    "poll_refused",
    "sdk_error",
]
# What a worker does before it is ready
LOADS, IMPORTS, CONNECTS, IS_STOPPED = "loads the SDK", "imports the module", "connects to the server", "is stopped"
SupervisorEventKind = Literal[
    "not_ready",  # the new worker takes long: `phase` is what it does
    "running",  # the first worker polls, or one that was restarted
    "changed",  # source files changed
    "replaced",  # a worker with the new code polls
    "broken",  # the new code does not run
    "draining",  # a worker that stops still runs activities
    "grace_over",  # a worker was killed, with activities still running or because it did not answer
    "died",  # the worker process ended by itself
    "stopping",
]
WorkerEventKind = SupervisorEventKind | ForwardedEventKind
FORWARDED: tuple[WorkerEventKind, ...] = get_args(ForwardedEventKind)


@dataclass(frozen=True)
class WorkerEvent:
    """One event with its facts, as they are in JSON; `at` is in seconds since the epoch."""

    kind: WorkerEventKind
    facts: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)


class EventReporter:
    """Reports events to a callback. If that fails, as for a closed stdout, `failure` is the first error.

    Args:
        on_event: The callback.
        on_failure: Called when it has failed for the first time.
    """

    def __init__(self, on_event: Callable[[WorkerEvent], None], on_failure: Callable[[], None]) -> None:
        self._on_event = on_event
        self._on_failure = on_failure
        self.failure: BaseException | None = None

    def __call__(self, kind: WorkerEventKind, **facts: Any) -> None:
        """Report an event."""
        try:
            self._on_event(WorkerEvent(kind, facts))
        except Exception as error:  # noqa: BLE001 - the supervisor raises it once everything has ended
            if self.failure is None:
                self.failure = error
                self._on_failure()


def relative(path: str) -> str:
    """A path relative to the working directory, where it is in there."""
    with contextlib.suppress(ValueError):
        return str(Path(path).relative_to(Path.cwd()))
    return path

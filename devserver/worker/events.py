"""What happens while a worker is supervised, as records: their kinds and facts are listed in docs/json.md."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
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

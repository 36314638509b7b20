"""What happens while a worker is kept running, as records."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

WorkerEventKind = Literal[
    "not_ready",
    "running",
    "changed",
    "replaced",
    "broken",
    "draining",
    "cut",
    "died",
    "server_gone",
    "server_back",
    "workflow_task_failed",
    "nondeterminism",
    "workflow_failed",
    "activity_failed",
    "sdk_error",
    "stopping",
]


@dataclass(frozen=True)
class WorkerEvent:
    """One of them, with its facts as JSON has them; `at` is seconds since the epoch."""

    kind: WorkerEventKind
    facts: Mapping[str, Any] = field(default_factory=dict)
    at: float = field(default_factory=time.time)

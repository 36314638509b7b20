"""Statuses of workflows, also those that the installed SDK has no name for.

The SDK's `describe` and `list_workflows` raise on a paused workflow: its status is newer than their enum. Use
`ServiceCalls` and these names instead.
"""

from __future__ import annotations

from typing import Literal

RunStatus = Literal[
    "running", "paused", "completed", "failed", "timed_out", "canceled", "terminated", "continued_as_new"
]

RUNNING = 1
PAUSED = 8
OPEN_STATUSES = (RUNNING, PAUSED)
STATUSES: dict[int, RunStatus] = {
    RUNNING: "running",
    2: "completed",
    3: "failed",
    4: "canceled",
    5: "terminated",
    6: "continued_as_new",
    7: "timed_out",
    PAUSED: "paused",
}


def status_name(status: int) -> str:
    """A status as a word, such as `timed_out`; `status 99` for one that is newer than this package."""
    return STATUSES.get(status) or f"status {status}"

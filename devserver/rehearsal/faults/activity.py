"""Faults of the activity attempt that waits at the moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from ..environment.run_context import RunContext
from ..errors import FaultImpossible
from ..scenario.arguments import seconds
from ..scenario.events import ActivityTrigger, TriggerEvent


@dataclass(frozen=True)
class ActivityFaultOrder:
    """The attempt continues as ordered."""

    order: str
    what: str
    detail: dict[str, Any] = field(default_factory=dict)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Give the order."""
        if not isinstance(trigger, ActivityTrigger):
            raise FaultImpossible(
                f"no activity waits at this moment: {trigger}", hint="plan it with at.activity_starts(...)"
            )
        if trigger.instruction.order != "go":
            raise FaultImpossible(
                "another fault of the plan already controls this attempt", hint="plan them at two moments"
            )
        if context.worker is None:
            raise FaultImpossible("the worker is down, and the attempt with it")
        trigger.instruction.order = self.order
        trigger.instruction.detail = self.detail

    def __str__(self) -> str:
        return f"the activity {self.what}"


def fail_activity(
    message: str = "a fault of the rehearsal",
    *,
    type: str = "Rehearsed",  # noqa: A002 - the SDK's name
    retry: bool = True,
) -> ActivityFaultOrder:
    """The attempt fails with this message; with `retry=False` it is not retried."""
    detail = {"message": message, "type": type, "non_retryable": not retry}
    return ActivityFaultOrder("fail", f"fails: {message}", detail)


def hang_activity() -> ActivityFaultOrder:
    """The attempt hangs until it is cancelled or its worker ends; the server sees a timeout."""
    return ActivityFaultOrder("hang", "hangs")


def slow_activity(by: float | timedelta) -> ActivityFaultOrder:
    """The attempt takes `by` longer."""
    extra = seconds(by, "slow_activity")
    return ActivityFaultOrder("sleep", f"takes {extra:g} s longer", {"seconds": extra})

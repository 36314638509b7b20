"""Where a virtual clock is, as the server describes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionResponse

from ..errors import ClockCapped
from .timestamps import to_datetime

if TYPE_CHECKING:
    from temporalio.api.common.v1 import TimeSkippingInfo


@dataclass(frozen=True)
class ClockState:
    """Where a virtual clock is. `now` is in UTC; `moving` is the length of the fast-forward, None without one."""

    now: datetime
    skips: bool
    moving: timedelta | None
    max_skips: int

    @property
    def automatic(self) -> bool:
        """Whether the server skips time by itself, without a fast-forward that ends."""
        return self.skips and self.moving is None


def clock_state(description: DescribeWorkflowExecutionResponse) -> ClockState | None:
    """The clock in a description of a workflow; None for a workflow without one."""
    if not description.workflow_extended_info.HasField("time_skipping_info"):
        return None
    info: TimeSkippingInfo = description.workflow_extended_info.time_skipping_info
    config = info.effective_config
    moves = config.HasField("fast_forward_config")
    return ClockState(
        now=to_datetime(info.current_time),
        skips=config.enabled,
        moving=config.fast_forward_config.duration.ToTimedelta() if moves else None,
        max_skips=config.max_session_skip_count,
    )


def clock_capped(workflow_id: str, state: ClockState) -> ClockCapped:
    """The error for a clock that the server no longer moves."""
    now = state.now.replace(microsecond=0, tzinfo=None)
    return ClockCapped(
        f"the clock of {workflow_id} no longer moves: it is at {now} (UTC), and "
        f"the server has skipped time {state.max_skips} times, the most it does for a workflow",
        hint="raise the dynamic configuration frontend.WorkflowTimeSkippingMaxSkipPerSession, as the tuning fast does, "
        "or look for a workflow that sleeps in an endless loop",
    )

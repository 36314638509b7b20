"""What watches a run from inside, and may decide when it is over: a game day, in which a person acts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from temporalio.api.history.v1 import HistoryEvent

    from ..environment.run_context import RunContext
    from .step_executor import StepExecutor


class RunObserver(Protocol):
    """Watches one run. With an observer, a run is over when the observer says so, or at its limit."""

    @property
    def prefix(self) -> str:
        """How the id of the runbook's workflow begins."""
        ...

    async def begin(self, context: RunContext, executor: StepExecutor) -> None:
        """The runbook has started."""
        ...

    def on_event(self, event: HistoryEvent, at: float) -> None:
        """The runbook's history has a new event, `at` seconds after the run's start."""
        ...

    async def until_over(self) -> None:
        """Wait until the run is over."""
        ...

    async def end(self, *, late: bool) -> None:
        """The run is over, and the server still has all of it; `late`: the limit has passed."""
        ...

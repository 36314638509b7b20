"""The workflow of the workload: a timer, a signal, an update, an activity."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow

TIMER_SECONDS = 0.3
QUEUE = "devserver-load"
ACTIVITY = "devserver_load_step"


@workflow.defn(name="DevserverLoad")
class LoadWorkflow:
    """Its result is what it has received: the kinds `signal` and `update`."""

    def __init__(self) -> None:
        self._received: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        """Wait for a timer, then run the activity."""
        await workflow.sleep(TIMER_SECONDS)
        await workflow.execute_activity(ACTIVITY, start_to_close_timeout=timedelta(seconds=5))
        return self._received

    @workflow.signal
    def poke(self) -> None:
        """Note a signal."""
        self._received.append("signal")

    @workflow.update
    def change(self) -> None:
        """Note an update."""
        self._received.append("update")


class LoadSteps:
    """The activity of the workload, which notes when it ran."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    @activity.defn(name=ACTIVITY)
    async def step(self) -> None:
        """Note that it ran."""
        self._on_step(activity.info().workflow_id or "")


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    OnStep = Callable[[str], None]

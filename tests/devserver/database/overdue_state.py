"""State that comes due later: timers, a retry, a timeout, a delayed start, a schedule and closed workflows."""

from __future__ import annotations

from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import RetryPolicy
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .state import until

QUEUE = "overdue"
HOUR = timedelta(hours=1)


@activity.defn
async def fail() -> None:
    """Fail, to be retried much later."""
    raise RuntimeError("later")


@workflow.defn
class Waiting:
    """Waits for a timer or a retry, or completes at once."""

    @workflow.run
    async def run(self, wait_for: str) -> None:
        """Wait for `timer`, `retry` or nothing."""
        if wait_for == "timer":
            await workflow.sleep(HOUR)
        elif wait_for == "retry":
            retry = RetryPolicy(initial_interval=HOUR, maximum_interval=HOUR)
            await workflow.execute_activity(fail, start_to_close_timeout=HOUR, retry_policy=retry)


def schedule(every: timedelta, *, paused: bool = False) -> Schedule:
    """A schedule whose runs nobody works on."""
    return Schedule(
        action=ScheduleActionStartWorkflow(Waiting.run, "", id="scheduled", task_queue="nobody"),
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
        state=ScheduleState(paused=paused),
    )


async def make(address: str) -> None:
    """Create what comes due within an hour, and two closed workflows."""
    client = await Client.connect(address)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=QUEUE, workflows=[Waiting], activities=[fail], workflow_runner=runner):
        for wait_for in ("timer", "retry"):
            await client.start_workflow(Waiting.run, wait_for, id=wait_for, task_queue=QUEUE)
        for number in range(2):
            await client.execute_workflow(Waiting.run, "", id=f"closed-{number}", task_queue=QUEUE)
        await until(lambda: _waits(client, "timer"), "the timer")
        await until(lambda: _waits(client, "retry"), "the retry")
    await client.start_workflow(Waiting.run, "", id="delayed", task_queue=QUEUE, start_delay=HOUR)
    await client.start_workflow(Waiting.run, "", id="limited", task_queue=QUEUE, execution_timeout=HOUR)
    await client.create_schedule("often", schedule(timedelta(minutes=10)))
    await client.create_schedule("paused", schedule(timedelta(minutes=10), paused=True))
    await until(lambda: _scheduled(client, 2), "the schedules in the list")


async def make_newer(address: str) -> None:
    """Create a schedule on a server that uses the newer scheduler."""
    client = await Client.connect(address)
    await client.create_schedule("newer", schedule(timedelta(minutes=10)))
    await until(lambda: _scheduled(client, 3), "the newer schedule in the list")


async def _waits(client: Client, workflow_id: str) -> bool:
    description = await client.get_workflow_handle(workflow_id).describe()
    if workflow_id == "retry":
        return any(pending.attempt > 1 for pending in description.raw_description.pending_activities)
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return any(event.HasField("timer_started_event_attributes") for event in history.events)


async def _scheduled(client: Client, count: int) -> bool:
    listed = [each async for each in await client.list_schedules()]
    return len(listed) == count and all(each.info and len(each.info.next_action_times) > 1 for each in listed)

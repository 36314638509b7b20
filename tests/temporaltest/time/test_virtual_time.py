"""Virtual time beyond timers: timeouts, start delays, signal-with-start, update-with-start and cron."""

from __future__ import annotations

from ..conftest import Suite
from .test_controls import SKIPPING

TESTS = (
    SKIPPING
    + """
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import TimeoutError as TimedOut


@workflow.defn
class Counts:
    def __init__(self) -> None:
        self.count = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.sleep(DAY)
        return self.count

    @workflow.signal
    def add(self, more: int) -> None:
        self.count += more

    @workflow.update
    async def add_later(self, more: int) -> int:
        await workflow.sleep(DAY / 2)
        self.count += more
        return self.count


@workflow.defn
class Tells:
    @workflow.run
    async def run(self, other: str) -> None:
        await workflow.sleep(DAY / 2)
        await workflow.get_external_workflow_handle_for(Counts.run, other).signal(Counts.add, 9)


@workflow.defn
class Again:
    @workflow.run
    async def run(self, rounds: int) -> str:
        await workflow.sleep(DAY)
        if rounds:
            workflow.continue_as_new(rounds - 1)
        return "done"


@workflow.defn
class Raises:
    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(Again.run, 2, id="again")
        await workflow.sleep(DAY)
        return await child


@activity.defn
async def beats() -> None:
    for _ in range(6):
        activity.heartbeat()
        await asyncio.sleep(0.1)


@workflow.defn
class Beside:
    @workflow.run
    async def run(self) -> float:
        began = workflow.now()
        limits = {"start_to_close_timeout": timedelta(minutes=1), "heartbeat_timeout": timedelta(seconds=20)}
        beating = asyncio.create_task(workflow.execute_activity(beats, **limits))
        await workflow.sleep(DAY)
        await beating
        return (workflow.now() - began) / DAY


def test_a_limit_that_is_passed(temporal):
    temporal.worker(workflows=[Sleeper])
    with pytest.raises(WorkflowFailureError) as failed:
        temporal.execute(Sleeper.run, 3, execution_timeout=DAY)
    assert isinstance(failed.value.cause, TimedOut)


def test_a_timeout_that_is_met(temporal):
    temporal.worker(workflows=[Sleeper])
    assert temporal.execute(Sleeper.run, 3, execution_timeout=4 * DAY) == pytest.approx(3, abs=0.1)


def test_a_start_that_is_delayed(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper])
    handle = temporal.start(Sleeper.run, 3, start_delay=DAY)
    temporal_time.fast_forward(handle, 2 * DAY)
    assert temporal.run(handle.result()) == pytest.approx(3, abs=0.1)


def test_a_start_with_a_signal(temporal):
    temporal.worker(workflows=[Counts])
    assert temporal.execute(Counts.run, start_signal="add", start_signal_args=[4]) == 4


def test_a_start_with_an_update(temporal):
    async def start():
        policy = WorkflowIDConflictPolicy.FAIL
        queue = temporal.task_queue
        starting = WithStartWorkflowOperation(Counts.run, id="counts", task_queue=queue, id_conflict_policy=policy)
        client = temporal.client
        now = await client.execute_update_with_start_workflow(
            Counts.add_later, 3, start_workflow_operation=starting
        )
        return now, await (await starting.workflow_handle()).result()

    temporal.worker(workflows=[Counts])
    assert temporal.run(start()) == (3, 3)


def test_a_signal_of_another_workflow(temporal, temporal_time):
    temporal.worker(workflows=[Counts, Tells])
    handle = temporal.start(Counts.run)
    temporal.execute(Tells.run, handle.id)
    assert temporal.run(handle.result()) == 9


def test_a_child_that_continues_as_new(temporal):
    temporal.worker(workflows=[Raises, Again])
    assert temporal.execute(Raises.run) == "done"


def test_an_activity_beside_a_timer(temporal):
    temporal.worker(workflows=[Beside], activities=[beats])
    assert temporal.execute(Beside.run) == pytest.approx(1, abs=0.1)


def test_a_cron(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper])
    handle = temporal.start(Sleeper.run, 0, cron_schedule="0 3 * * *")
    first = handle.first_execution_run_id
    temporal_time.fast_forward(handle, 2 * DAY)
    again = temporal.run(temporal.client.get_workflow_handle(handle.id).describe())
    assert again.run_id != first
"""
)


def test_other_waits_take_no_time(suite: Suite) -> None:
    """Timeouts, delayed starts, starts with signals and updates, signals between workflows and cron skip time too."""
    suite.tests(TESTS)
    suite.passes("--temporal-timeout", "20", passed=9)

"""Virtual clocks: skipping, moving and holding time, and errors of a clock that cannot move."""

from __future__ import annotations

from ..conftest import Suite

SKIPPING = """
from datetime import datetime, timezone

from temporalio.common import RetryPolicy
from temporalio.exceptions import CancelledError
from temporaltest.errors import ClockStuck, SetupError, WaitTimeout

pytestmark = pytest.mark.temporal(time_skipping=True)
DAY = timedelta(days=1)


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, days: int) -> float:
        began = workflow.now()
        for _ in range(days):
            await workflow.sleep(DAY)
        return (workflow.now() - began) / DAY


@workflow.defn
class Trial:
    '''Ends when it is paid or after 14 days.'''

    def __init__(self) -> None:
        self.paid = 0

    @workflow.run
    async def run(self) -> str:
        try:
            await workflow.wait_condition(lambda: self.paid > 0, timeout=14 * DAY)
        except asyncio.TimeoutError:
            return "over"
        return f"paid {self.paid}"

    @workflow.signal
    def pay(self, amount: int) -> None:
        self.paid = amount

    @workflow.update
    async def pay_later(self, amount: int) -> str:
        await workflow.sleep(DAY)
        self.paid = amount
        return "thanks"


@workflow.defn
class Family:
    @workflow.run
    async def run(self, days: int) -> float:
        return await workflow.execute_child_workflow(Sleeper.run, days, id=workflow.info().workflow_id + "-child")
"""

KINDS = (
    SKIPPING
    + """

@activity.defn
async def flaky(times: int) -> list[str]:
    if activity.info().attempt < times:
        activity.heartbeat(f"attempt {activity.info().attempt}")
        raise ApplicationError("not yet")
    return list(activity.info().heartbeat_details)


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> list[str]:
        details = await workflow.execute_activity(
            flaky,
            4,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=50),
            retry_policy=RetryPolicy(initial_interval=timedelta(hours=1), maximum_interval=timedelta(days=9)),
        )
        return [*details, str((workflow.now() - workflow.info().start_time) >= timedelta(hours=7))]


@workflow.defn
class Again:
    @workflow.run
    async def run(self, began: datetime | None = None, runs: int = 1) -> float:
        began = began or workflow.now()
        await workflow.sleep(DAY)
        if runs < 3:
            workflow.continue_as_new(args=[began, runs + 1])
        return (workflow.now() - began) / DAY


@workflow.defn
class Careful:
    def __init__(self) -> None:
        self.days = 0.0

    @workflow.run
    async def run(self) -> float:
        try:
            await workflow.wait_condition(lambda: False)
        except (CancelledError, asyncio.CancelledError):
            began = workflow.now()
            await workflow.sleep(2 * DAY)
            return (workflow.now() - began) / DAY
        return 0


@workflow.defn
class Waits:
    '''Signals and updates, each followed by a day.'''

    def __init__(self) -> None:
        self.signals = 0

    @workflow.run
    async def run(self) -> float:
        await workflow.wait_condition(lambda: self.signals > 1)
        await workflow.sleep(30 * DAY)
        return (workflow.now() - workflow.info().start_time) // DAY

    @workflow.signal
    async def go(self) -> None:
        await workflow.sleep(DAY)
        self.signals += 1

    @workflow.update
    async def wait(self) -> float:
        began = workflow.now()
        await workflow.sleep(DAY)
        return (workflow.now() - began) // DAY


def test_timers(temporal):
    temporal.worker(workflows=[Sleeper])
    assert temporal.execute(Sleeper.run, 30) == pytest.approx(30, abs=0.1)


def test_many_at_once(temporal):
    temporal.worker(workflows=[Sleeper])
    handles = [temporal.start(Sleeper.run, days) for days in range(1, 6)]
    assert [round(temporal.run(each.result())) for each in handles] == [1, 2, 3, 4, 5]


def test_children(temporal):
    temporal.worker(workflows=[Sleeper, Family])
    assert temporal.execute(Family.run, 3) == pytest.approx(3, abs=0.1)


def test_retries_and_heartbeats(temporal):
    temporal.worker(workflows=[Retries], activities=[flaky])
    assert temporal.execute(Retries.run) == ["attempt 3", "True"]


def test_signals_and_updates(temporal):
    temporal.worker(workflows=[Waits])
    handle = temporal.start(Waits.run)
    assert temporal.run(handle.execute_update(Waits.wait)) == 1
    temporal.run(handle.signal(Waits.go))
    temporal.run(handle.signal(Waits.go))
    assert temporal.run(handle.result()) >= 31


@pytest.mark.temporal(dynamic_config={"history.workflowIdReuseMinimalInterval": "0s"})
def test_continue_as_new(temporal):
    temporal.worker(workflows=[Again])
    assert temporal.execute(Again.run) == pytest.approx(3, abs=0.1)


@pytest.mark.temporal(dynamic_config={"history.workflowIdReuseMinimalInterval": "0s"})
def test_fast_forward_across_runs(temporal, temporal_time):
    temporal.worker(workflows=[Again])
    handle = temporal.start(Again.run)
    began = temporal_time.now(handle)
    assert timedelta(hours=60) <= temporal_time.fast_forward(handle, timedelta(hours=60)) - began < 3 * DAY
    assert temporal.run(handle.result()) == pytest.approx(3, abs=0.1)


def test_cancellation(temporal):
    temporal.worker(workflows=[Careful])
    handle = temporal.start(Careful.run)
    temporal.run(handle.cancel())
    assert temporal.run(handle.result()) == pytest.approx(2, abs=0.1)


@pytest.mark.asyncio
async def test_async(temporal):
    temporal.worker(workflows=[Sleeper])
    days = await temporal.client.execute_workflow(Sleeper.run, 365, id="year", task_queue=temporal.task_queue)
    assert days == pytest.approx(365, abs=0.1)
"""
)

DRIVEN = (
    SKIPPING.replace(
        "from temporaltest.errors",
        "from temporalio.client import Client, WorkflowUpdateStage\n"
        "from temporalio.service import RPCError\n"
        "from temporaltest.errors",
    )
    + """

def test_clock_is_held_and_moved(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = temporal.start(Trial.run)
    began = temporal_time.now(handle)
    assert abs(began - datetime.now(timezone.utc)) < timedelta(minutes=2)
    then = temporal_time.fast_forward(handle, 3 * DAY)
    assert 3 * DAY <= then - began < 3 * DAY + timedelta(minutes=2)
    assert temporal_time.now(handle) >= then
    temporal.run(handle.signal(Trial.pay, 5))
    assert temporal.run(handle.result()) == "paid 5"


def test_until(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = temporal.start(Trial.run)
    tenth = temporal_time.now(handle) + 10 * DAY
    assert tenth <= temporal_time.until(handle, tenth) < tenth + timedelta(minutes=2)
    with pytest.raises(SetupError, match="already past"):
        temporal_time.until(handle, tenth)
    with pytest.raises(SetupError, match="no time zone"):
        temporal_time.until(handle, tenth.replace(tzinfo=None) + DAY)


def test_clocks_are_separate(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    one, other = temporal.start(Trial.run), temporal.start(Trial.run)
    temporal_time.fast_forward(one, 5 * DAY)
    assert temporal_time.now(one) - temporal_time.now(other) > 4 * DAY


def test_waiting_for_a_result_lets_the_clock_go(temporal, temporal_time):
    temporal.worker(workflows=[Trial, Sleeper])
    handle = temporal.start(Trial.run)
    temporal_time.fast_forward(handle, DAY)
    assert temporal.run(handle.result()) == "over"
    assert temporal.execute(Sleeper.run, 7) == pytest.approx(7, abs=0.1)


def test_release(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = temporal.start(Trial.run)
    update = temporal.run(handle.start_update(Trial.pay_later, 7, wait_for_stage=WorkflowUpdateStage.ACCEPTED))
    temporal_time.release(handle)
    assert temporal.run(update.result()) == "thanks"


def test_update_in_virtual_time(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = temporal.start(Trial.run)
    update = temporal.run(handle.start_update(Trial.pay_later, 7, wait_for_stage=WorkflowUpdateStage.ACCEPTED))
    temporal_time.fast_forward(handle, 2 * DAY)
    assert temporal.run(update.result()) == "thanks"
    assert temporal.run(handle.result()) == "paid 7"


def test_children_that_began_under_a_held_clock_get_going(temporal, temporal_time):
    temporal.worker(workflows=[Family, Sleeper])
    handle = temporal.start(Family.run, 3)
    child = temporal.client.get_workflow_handle(handle.id + "-child")
    while not is_there(temporal, child):
        pass
    assert temporal.run(handle.result()) == pytest.approx(3, abs=0.1)


@workflow.defn
class Long:
    @workflow.run
    async def run(self) -> float:
        began = workflow.now()
        days = await workflow.execute_child_workflow(Sleeper.run, 3, id="of-long")
        assert workflow.now() - began < DAY
        await workflow.sleep(5 * DAY)
        return days


def test_children_run_while_their_parent_is_moved(temporal, temporal_time):
    temporal.worker(workflows=[Long, Sleeper])
    handle = temporal.start(Long.run)
    began = temporal_time.now(handle)
    temporal_time.fast_forward(handle, 2 * DAY)
    assert temporal_time.now(handle) - began < 3 * DAY
    assert temporal.run(temporal.client.get_workflow_handle("of-long").result()) == pytest.approx(3, abs=0.1)
    assert temporal.run(handle.result()) == pytest.approx(3, abs=0.1)


def test_child_is_moved_by_itself(temporal, temporal_time):
    temporal.worker(workflows=[Family, Sleeper])
    handle = temporal.start(Family.run, 3)
    child = temporal.client.get_workflow_handle(handle.id + "-child")
    while not is_there(temporal, child):
        pass
    began = temporal_time.now(child)
    temporal_time.fast_forward(child, 4 * DAY)
    assert temporal_time.now(handle) - began < DAY
    assert temporal.run(handle.result()) == pytest.approx(3, abs=0.1)


def is_there(temporal, handle):
    try:
        temporal.run(handle.describe())
    except RPCError:
        return False
    return True


def test_workflow_that_ends_on_the_way(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = temporal.start(Trial.run)
    temporal_time.fast_forward(handle, 100 * DAY)
    assert temporal.run(handle.result()) == "over"


def test_workflow_of_another_client(temporal, temporal_time):
    async def begin():
        client = await Client.connect(temporal.address, namespace=temporal.namespace)
        return await client.start_workflow(Trial.run, id="from-outside", task_queue=temporal.task_queue)

    temporal.worker(workflows=[Trial])
    handle = temporal.run(begin())
    began = temporal_time.now(handle)
    assert temporal_time.fast_forward(handle, DAY) - began >= DAY


@pytest.mark.asyncio
async def test_async(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = await temporal.client.start_workflow(Trial.run, id="trial", task_queue=temporal.task_queue)
    began = await temporal_time.aio.now(handle)
    await temporal_time.aio.fast_forward(handle, 3 * DAY)
    assert await temporal_time.aio.until(handle, began + 5 * DAY) >= began + 5 * DAY
    await temporal_time.aio.release(handle)
    assert await handle.result() == "over"


@pytest.mark.asyncio
async def test_blocking_calls_in_an_async_test(temporal, temporal_time):
    temporal.worker(workflows=[Trial])
    handle = await temporal.client.start_workflow(Trial.run, id="trial", task_queue=temporal.task_queue)
    temporal_time.fast_forward(handle, 3 * DAY)
    await handle.signal(Trial.pay, 9)
    assert await handle.result() == "paid 9"
"""
)


def test_each_kind_of_waiting_is_skipped(suite: Suite) -> None:
    """Timers, children, retries, heartbeats, signals, updates, continue-as-new and cancellations take no real time."""
    suite.tests(KINDS)
    suite.passes(passed=9)


def test_moving_clocks(suite: Suite) -> None:
    """With temporal_time a test moves each workflow's clock itself, in sync and async code."""
    suite.tests(DRIVEN)
    suite.passes(passed=13)

"""Time skips only while the test waits for a workflow, in `temporal`, `temporal_time` and `temporal_env` alike."""

from __future__ import annotations

from ..conftest import Suite
from .test_controls import SKIPPING

HELD = (
    SKIPPING
    + """
import threading
from temporalio.worker import Worker

CALLED, GO_ON = threading.Event(), threading.Event()


@activity.defn
def works() -> None:
    CALLED.set()
    GO_ON.wait(60)


@workflow.defn
class Works:
    def __init__(self) -> None:
        self.paid = 0

    @workflow.run
    async def run(self) -> str:
        await workflow.execute_activity(works, start_to_close_timeout=timedelta(minutes=5))
        try:
            await workflow.wait_condition(lambda: self.paid > 0, timeout=14 * DAY)
        except asyncio.TimeoutError:
            return "over"
        return "paid"

    @workflow.signal
    def pay(self, amount: int) -> None:
        self.paid = amount


@workflow.defn
class Asks(Trial):
    @workflow.run
    async def run(self) -> str:
        return await super().run()

    @workflow.update
    async def ask(self) -> str:
        await workflow.sleep(DAY)
        return f"asked, {self.paid}"

    @workflow.update
    async def ask_a_child(self) -> float:
        return await workflow.execute_child_workflow(Sleeper.run, 2, id="child")


def test_other_work(temporal):
    temporal.worker(workflows=[Trial, Sleeper])
    trial = temporal.start(Trial.run)
    assert temporal.execute(Sleeper.run, 30) == pytest.approx(30, abs=0.1)
    assert temporal.run(temporal.start(Sleeper.run, 30).result()) == pytest.approx(30, abs=0.1)
    temporal.run(trial.signal(Trial.pay, 5))
    assert temporal.run(trial.result()) == "paid 5"


def test_a_wait_that_the_test_ends(temporal):
    temporal.worker(workflows=[Works, Sleeper], activities=[works])
    handle = temporal.start(Works.run)
    assert CALLED.wait(60)
    with pytest.raises(asyncio.TimeoutError):
        temporal.run(asyncio.wait_for(handle.result(), 1))
    GO_ON.set()
    temporal.execute(Sleeper.run, 1)
    temporal.run(handle.signal(Works.pay, 1))
    assert temporal.run(handle.result()) == "paid"


def test_updates(temporal):
    temporal.worker(workflows=[Asks, Sleeper])
    trial = temporal.start(Asks.run)
    assert temporal.run(trial.execute_update(Asks.ask)) == "asked, 0"
    assert temporal.run(trial.execute_update(Asks.ask_a_child)) == pytest.approx(2, abs=0.1)
    temporal.run(trial.signal(Asks.pay, 5))
    assert temporal.run(trial.result()) == "paid 5"


@pytest.mark.asyncio
async def test_other_work_in_an_environment(temporal_env):
    async with Worker(temporal_env.client, task_queue="q", workflows=[Trial, Sleeper]):
        trial = await temporal_env.client.start_workflow(Trial.run, id="trial", task_queue="q")
        await temporal_env.client.execute_workflow(Sleeper.run, 30, id="sleeper", task_queue="q")
        await trial.signal(Trial.pay, 5)
        assert await trial.result() == "paid 5"
"""
)

ONE_CLOCK = (
    SKIPPING
    + """
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

MINUTE = timedelta(minutes=1)
pytestmark = [pytestmark, pytest.mark.asyncio]


@workflow.defn
class Now:
    def __init__(self) -> None:
        self.over = False

    @workflow.run
    async def run(self, waits: bool = False) -> str:
        now = workflow.now().isoformat()
        if waits:
            await workflow.wait_condition(lambda: self.over, timeout=DAY)
        return now

    @workflow.signal
    def end(self) -> None:
        self.over = True


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_child_workflow(Now.run, id="child")


def near(text, expected):
    return abs(datetime.fromisoformat(text) - expected) < MINUTE


@pytest.fixture
def env(temporal_env):
    return temporal_env


async def test_sleep(env):
    began = datetime.now(timezone.utc)
    async with Worker(env.client, task_queue="q", workflows=[Now, Parent]):
        await env.sleep(30 * DAY)
        current = await env.get_current_time()
        assert abs(current - began - 30 * DAY) < MINUTE
        assert near(await env.client.execute_workflow(Now.run, id="a", task_queue="q"), current)
        assert near(await env.client.execute_workflow(Parent.run, id="p", task_queue="q"), current)
        held = await env.client.start_workflow(
            Now.run, True, id="h", task_queue="q", execution_timeout=2 * DAY, run_timeout=2 * DAY
        )
        assert abs(await env.get_current_time(held) - current) < MINUTE
        await held.signal(Now.end)
        assert near(await held.result(), current)
        signaled = await env.client.start_workflow(Now.run, True, id="s", task_queue="q", start_signal="end")
        assert near(await signaled.result(), current)
        delayed = await env.client.execute_workflow(Now.run, id="d", task_queue="q", start_delay=DAY)
        assert near(delayed, current + DAY)


async def test_results(env):
    began = datetime.now(timezone.utc)
    async with Worker(env.client, task_queue="q", workflows=[Now, Sleeper]):
        await env.client.execute_workflow(Sleeper.run, 7, id="week", task_queue="q")
        current = await env.get_current_time()
        assert abs(current - began - 7 * DAY) < MINUTE
        assert near(await env.client.execute_workflow(Now.run, id="a", task_queue="q"), current)
        await env.sleep(DAY)
        assert abs(await env.get_current_time() - began - 8 * DAY) < MINUTE


async def test_without_skipping(env):
    async with Worker(env.client, task_queue="q", workflows=[Now]):
        await env.sleep(DAY)
        with env.auto_time_skipping_disabled():
            real = await env.client.execute_workflow(Now.run, id="real", task_queue="q")
        assert near(real, datetime.now(timezone.utc))
"""
)


def test_clocks_stand_between_waits(suite: Suite) -> None:
    """A workflow's clock does not run past what the test does next: other work, a wait that it ends, an update."""
    suite.tests(HELD)
    suite.passes("--temporal-timeout", "20", passed=4)


def test_an_environment_has_one_clock(suite: Suite) -> None:
    """A workflow that starts after `env.sleep` or a result begins at `env.get_current_time()`."""
    suite.tests(ONE_CLOCK)
    suite.passes("--temporal-timeout", "20", passed=3)

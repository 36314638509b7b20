"""`temporal_env`: tests written for the SDK's `WorkflowEnvironment` run unchanged."""

from __future__ import annotations

from ..conftest import Suite
from ..workers.test_workers import GREET

SLEEPS = """
from datetime import datetime, timezone

from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker


@workflow.defn
class Reminder:
    def __init__(self) -> None:
        self.sent = 0

    @workflow.run
    async def run(self, days: int) -> int:
        for _ in range(days):
            await workflow.sleep(timedelta(days=1))
            self.sent += 1
        return self.sent

    @workflow.query
    def count(self) -> int:
        return self.sent


@pytest.fixture
def env(temporal_env):
    return temporal_env
"""


def test_tests_of_a_local_server(both_ways: Suite) -> None:
    """A worker of the SDK's own class on `env.client` works and fails fast; `async with env` does not stop the
    server."""
    both_ways.ini("asyncio_mode = auto")
    both_ways.tests(
        GREET
        + SLEEPS
        + """
async def test_it(env: WorkflowEnvironment):
    assert isinstance(env, WorkflowEnvironment)
    assert not env.supports_time_skipping
    async with env, Worker(env.client, task_queue="q", workflows=[Greet], activities=[compose]):
        assert await env.client.execute_workflow(Greet.run, "Ada", id="g", task_queue="q") == "Hello, Ada"
    with env.auto_time_skipping_disabled():
        await env.sleep(0.01)
    now = datetime.now(timezone.utc)
    assert abs(await env.get_current_time() - now) < timedelta(minutes=1)
    assert await env.client.count_workflows() is not None  # the server is still up


async def test_another_client(env):
    client = await env.connect_client()
    assert client.namespace == env.client.namespace


@workflow.defn
class Bug:
    @workflow.run
    async def run(self) -> None:
        raise KeyError("a bug")


@workflow.defn
class Asserts:
    @workflow.run
    async def run(self) -> None:
        assert 1 == 2, "not equal"


async def test_a_bug_fails_at_once(env):
    async with Worker(env.client, task_queue="q", workflows=[Bug, Asserts]):
        with pytest.raises(WorkflowFailureError) as failed:
            await env.client.execute_workflow(Bug.run, id="b", task_queue="q")
        assert failed.value.cause.type == "KeyError"
        with pytest.raises(WorkflowFailureError) as failed:
            await env.client.execute_workflow(Asserts.run, id="a", task_queue="q")
        assert failed.value.cause.type == "AssertionError"


FLAGS = [True]


@workflow.defn(sandboxed=False)
class Random:
    @workflow.run
    async def run(self) -> None:
        if FLAGS.pop() if FLAGS else False:
            await workflow.sleep(0.01)


async def test_workflows_are_replayed(env):
    async with Worker(env.client, task_queue="q", workflows=[Random]):
        await env.client.execute_workflow(Random.run, id="r", task_queue="q")
"""
    )
    result = both_ways.run()
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*the workflow r (Random) does not replay*"])


def test_tests_of_the_time_skipping_server(suite: Suite) -> None:
    """`env.sleep`, `get_current_time` and results move virtual clocks, as with the time-skipping server."""
    suite.ini("asyncio_mode = auto")
    suite.tests(
        SLEEPS
        + """
pytestmark = pytest.mark.temporal(time_skipping=True)


async def test_results(env):
    assert env.supports_time_skipping
    before = await env.get_current_time()
    async with Worker(env.client, task_queue="q", workflows=[Reminder]):
        assert await env.client.execute_workflow(Reminder.run, 30, id="r", task_queue="q") == 30
    assert await env.get_current_time() - before >= timedelta(days=30)


async def test_sleep(env):
    async with Worker(env.client, task_queue="q", workflows=[Reminder]):
        handles = [
            await env.client.start_workflow(Reminder.run, 30, id=f"r{number}", task_queue="q") for number in range(2)
        ]
        before = await env.get_current_time()
        await env.sleep(timedelta(days=2, hours=1))
        assert [await handle.query(Reminder.count) for handle in handles] == [2, 2]
        await env.sleep(86400)
        assert [await handle.query(Reminder.count) for handle in handles] == [3, 3]
        assert timedelta(days=3) < await env.get_current_time() - before < timedelta(days=4)
        assert await handles[0].result() == 30
        assert await handles[1].query(Reminder.count) == 3
        ahead = await env.get_current_time(handles[0]) - await env.get_current_time(handles[1])
        assert ahead > timedelta(days=20)


async def test_not_skipping(env):
    with env.auto_time_skipping_disabled():
        async with Worker(env.client, task_queue="q", workflows=[Reminder]):
            assert await env.client.execute_workflow(Reminder.run, 0, id="none", task_queue="q") == 0
            handle = await env.client.start_workflow(Reminder.run, 1, id="one", task_queue="q")
            assert await env.get_time_skipping_info(handle) is None


async def test_version_two(env):
    async with Worker(env.client, task_queue="q", workflows=[Reminder]):
        handle = await env.client.start_workflow(Reminder.run, 3, id="r", task_queue="q")
        assert await env.fast_forward(handle, timedelta(hours=25))
        assert await handle.query(Reminder.count) == 1
        assert await env.get_time_skipping_info(handle) is not None
        await env.fast_forward(handle)
        assert await handle.result() == 3
"""
    )
    suite.passes(passed=4)


def test_sleep_with_open_children(suite: Suite) -> None:
    """`env.sleep` moves a child's clock and returns, although an open child holds its parent's clock."""
    suite.ini("asyncio_mode = auto")
    suite.tests(
        SLEEPS
        + """
pytestmark = pytest.mark.temporal(time_skipping=True)


@workflow.defn
class Family:
    @workflow.run
    async def run(self, days: int) -> int:
        sent = await workflow.execute_child_workflow(Reminder.run, days, id="child")
        await workflow.sleep(timedelta(days=2))
        return sent


async def test_it(env):
    async with Worker(env.client, task_queue="q", workflows=[Family, Reminder]):
        handle = await env.client.start_workflow(Family.run, 3, id="parent", task_queue="q")
        child = env.client.get_workflow_handle("child")
        while not [each async for each in env.client.list_workflows("WorkflowId = 'child'")]:
            await asyncio.sleep(0.01)
        await env.sleep(timedelta(days=1, hours=1))
        assert await child.query(Reminder.count) == 1
        await env.sleep(timedelta(days=5))
        assert (await child.describe()).status.name == "COMPLETED"
        assert await handle.result() == 3
"""
    )
    suite.passes("--temporal-timeout", "20", passed=1)


def test_a_clock_that_cannot_move(suite: Suite) -> None:
    """`env.sleep` and `env.fast_forward` fail at the limit, and the error says what holds the clock."""
    suite.ini("asyncio_mode = auto")
    suite.tests(
        SLEEPS
        + """
from temporaltest import ClockStuck

pytestmark = pytest.mark.temporal(time_skipping=True)


@activity.defn
async def digs() -> None:
    await asyncio.sleep(3600)


@workflow.defn
class Digs:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(digs, start_to_close_timeout=timedelta(hours=1))


async def test_activity(env, temporal):
    async with Worker(env.client, task_queue="q", workflows=[Digs], activities=[digs]):
        handle = await env.client.start_workflow(Digs.run, id="d", task_queue="q")
        temporal.case.guard.limit = 1
        with pytest.raises(ClockStuck, match="the clock of d did not move by 1 day, 0:00:00: the activity digs"):
            await env.sleep(86400)
        with pytest.raises(ClockStuck, match="the clock of d did not move by 1 day, 0:00:00: the activity digs"):
            await env.fast_forward(handle, timedelta(days=1))


async def test_no_worker(env, temporal):
    await env.client.start_workflow(Reminder.run, 1, id="r", task_queue="nobody")
    temporal.case.guard.limit = 1
    with pytest.raises(ClockStuck, match="no worker polls the task queue 'nobody'"):
        await env.sleep(timedelta(days=1))
"""
    )
    suite.passes("--temporal-timeout", "20", passed=2)


def test_calls_that_need_time_skipping(suite: Suite) -> None:
    """Without the mark the error says how to turn on time skipping."""
    suite.ini("asyncio_mode = auto")
    suite.tests(
        """
from temporaltest import SetupError


async def test_it(temporal_env):
    with pytest.raises(SetupError, match=r"temporal_env.fast_forward needs @pytest.mark.temporal\\(time_skipping=True"):
        await temporal_env.fast_forward(temporal_env.client.get_workflow_handle("x"))
"""
    )
    suite.passes(passed=1)

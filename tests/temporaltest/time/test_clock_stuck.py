"""A clock that cannot move fails the test with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.helpers.old_binaries import old_binary

from ..conftest import TWO, Suite
from .test_controls import SKIPPING

__all__ = ["old_binary"]

HELD = (
    SKIPPING.replace("from datetime import datetime, timezone", "import threading\nfrom temporalio.client import *")
    + """
from temporalio.api.workflowservice.v1 import PollWorkflowTaskQueueRequest

from devserver.client import ServiceCalls

SOON = 1.5  # the limit of waits that come to it, in seconds
began, done = threading.Event(), threading.Event()


@activity.defn
async def charge() -> None:
    began.set()
    while not done.is_set():
        await asyncio.sleep(0.01)


@workflow.defn
class Charges:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(charge, start_to_close_timeout=timedelta(minutes=2))


@workflow.defn
class Fails:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("a bug")


@workflow.defn
class Signalled:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


def is_there(temporal, handle):
    try:
        temporal.run(handle.describe())
    except RPCError:
        return False
    return True


def moves(temporal_time, handle, match):
    guard = temporal_time._case.guard
    limit, guard.limit = guard.limit, SOON
    with pytest.raises(ClockStuck, match=match):
        temporal_time.fast_forward(handle, DAY)
    guard.limit = limit


def test_activity_that_runs(temporal, temporal_time):
    temporal.worker(workflows=[Charges], activities=[charge])
    handle = temporal.start(Charges.run)
    assert began.wait(20)
    moves(temporal_time, handle, "by 1 day, 0:00:00: the activity charge runs .attempt 1., as far as the server knows")
    done.set()
    temporal.run(handle.result())


def test_activity_that_no_worker_takes(temporal, temporal_time):
    temporal.worker(workflows=[Charges])
    handle = temporal.start(Charges.run)
    text = r"the activity charge waits for a worker and holds the clock: no worker polls the task queue 'tests'"
    moves(temporal_time, handle, text)


def test_activity_without_a_free_slot(temporal, temporal_time):
    began.clear(), done.clear()
    temporal.worker(workflows=[Charges], activities=[charge], max_concurrent_activities=1)
    other = temporal.start(Charges.run)
    assert began.wait(20)
    handle = temporal.start(Charges.run)
    while not temporal.run(handle.describe()).raw_description.pending_activities:
        pass
    moves(temporal_time, handle, "(?s)the activity charge waits for a worker and holds the clock: a worker .*free slot")
    done.set()
    temporal.run(other.result())
    temporal.run(handle.result())


def test_no_worker(temporal, temporal_time):
    handle = temporal.start(Sleeper.run, 3)
    moves(temporal_time, handle, r"no worker polls the task queue 'tests': temporal.worker\\(workflows=\\[Sleeper\\]")


def test_stopped_worker(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper]).stop()
    handle = temporal.start(Sleeper.run, 3)
    moves(temporal_time, handle, "no worker polls the task queue 'tests' now: those of this test have stopped")


async def killed_while_it_polls(temporal, queue):
    request = PollWorkflowTaskQueueRequest(namespace=temporal.namespace, identity="9@gone")
    request.task_queue.name = queue
    service = temporal.client.workflow_service
    polling = asyncio.ensure_future(service.poll_workflow_task_queue(request, timeout=timedelta(seconds=50)))
    while not await ServiceCalls(temporal.client).pollers(queue, 1):
        await asyncio.sleep(0.02)
    polling.cancel()


def test_killed_worker(temporal, temporal_time):
    temporal.run(killed_while_it_polls(temporal, "left"))
    handle = temporal.start(Sleeper.run, 3, task_queue="left")
    text = "a workflow task waits .attempt 1.: a worker has last polled the task queue 'left' .* s ago, .* was killed"
    moves(temporal_time, handle, text)


def test_child_that_is_held(temporal, temporal_time):
    temporal.worker(workflows=[Family, Sleeper])
    handle = temporal.start(Family.run, 3)
    child = temporal.client.get_workflow_handle(f"{handle.id}-child")
    while not is_there(temporal, child):
        pass
    temporal_time.fast_forward(child, DAY)
    moves(temporal_time, handle, f"the child workflow {handle.id}-child .Sleeper. is open; it has a clock of its own")


def test_workflow_that_has_ended(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper])
    handle = temporal.start(Sleeper.run, 0)
    temporal.run(handle.result())
    moves(temporal_time, handle, "no longer moves: the workflow is completed")


def test_workflow_that_fails_first(temporal, temporal_time):
    temporal.worker(workflows=[Fails])
    moves(temporal_time, temporal.start(Fails.run), "the workflow is failed")


def test_unknown_workflow_id(temporal, temporal_time):
    with pytest.raises(RPCError, match="nobody"):
        temporal_time.fast_forward(temporal.client.get_workflow_handle("nobody"), DAY)


@pytest.mark.temporal(dynamic_config={"frontend.WorkflowTimeSkippingMaxSkipPerSession": 3})
def test_cap(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper])
    handle = temporal.start(Sleeper.run, 10)
    with pytest.raises(ClockStuck, match="has skipped time 3 times"):
        temporal_time.fast_forward(handle, 6 * DAY)
    with pytest.raises(ClockStuck, match="has skipped time 3 times"):
        temporal.run(handle.result())


@pytest.mark.temporal(dynamic_config={"frontend.WorkflowTimeSkippingMaxSkipPerSession": 3})
def test_cap_of_a_clock_that_runs_by_itself(temporal):
    temporal.worker(workflows=[Sleeper])
    with pytest.raises(ClockStuck, match="the clock of sleeper-1 .* has skipped time 3 times"):
        temporal.execute(Sleeper.run, 10)


def test_schedule(temporal, temporal_time):
    action = ScheduleActionStartWorkflow(Sleeper.run, 1, id="nightly", task_queue=temporal.task_queue)
    schedule = Schedule(action=action, spec=ScheduleSpec(cron_expressions=["0 3 * * *"]))
    handle = temporal.run(temporal.client.create_schedule("nightly", schedule))
    with pytest.raises(SetupError, match="(?s)schedules run in real time on the server.*temporal_schedules"):
        temporal_time.fast_forward(handle, DAY)
    temporal.run(handle.delete())


def test_backwards(temporal, temporal_time):
    handle = temporal.start(Sleeper.run, 1)
    with pytest.raises(SetupError, match="forward only"):
        temporal_time.fast_forward(handle, -DAY)


@pytest.mark.asyncio
async def test_async(temporal, temporal_time):
    handle = await temporal.client.start_workflow(Sleeper.run, 1, id="sleeper", task_queue="elsewhere")
    temporal.case.guard.limit = SOON
    with pytest.raises(ClockStuck, match="no worker polls the task queue 'elsewhere'"):
        await temporal_time.aio.fast_forward(handle, DAY)


def test_workflow_that_never_ends(temporal, temporal_time):
    temporal.worker(workflows=[Signalled])
    temporal.case.guard.limit = SOON
    state = r"(?s)signalled-1 .Signalled.: running.*virtual clocks:.*skips time by itself"
    with pytest.raises(WaitTimeout, match=state):
        temporal.execute(Signalled.run)


def test_query_of_a_held_workflow(temporal, temporal_time):
    handle = temporal.start(Sleeper.run, 1)
    temporal.case.guard.limit = SOON
    with pytest.raises(WaitTimeout, match=r"(?s)virtual clocks:\\n  sleeper-1: .*in real time .* wait for its result"):
        temporal.run(asyncio.Event().wait())
"""
)

PLAIN = """
@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(timedelta(days=1))
"""

MIXED = (
    SKIPPING.replace(
        "pytestmark = pytest.mark.temporal(time_skipping=True)", "skips = pytest.mark.temporal(time_skipping=True)"
    )
    + """

@workflow.defn
class Clock:
    @workflow.run
    async def run(self) -> datetime:
        await workflow.sleep(0.01)
        return workflow.now()


@skips
@pytest.mark.parametrize("days", [10, 20, 30, 40])
def test_virtual(temporal, temporal_time, days):
    temporal.worker(workflows=[Sleeper, Trial])
    handle = temporal.start(Trial.run)
    temporal_time.fast_forward(handle, days / 10 * DAY)
    assert temporal.execute(Sleeper.run, days) == pytest.approx(days, abs=0.1)
    assert temporal.run(handle.result()) == "over"


@pytest.mark.parametrize("number", range(4))
def test_real(temporal, number):
    temporal.worker(workflows=[Clock])
    for _ in range(3):
        assert abs(temporal.execute(Clock.run) - datetime.now(timezone.utc)) < timedelta(minutes=2)
"""
)


def test_reasons_of_a_stuck_clock(suite: Suite) -> None:
    """The error names what holds the clock: an activity, a child, a missing worker, the skip cap, a closed workflow
    or a schedule."""
    suite.tests(HELD)
    suite.passes("--temporal-timeout", "20", passed=17)


def test_a_stuck_clock_fails_the_test(suite: Suite) -> None:
    """A test that moves a stuck clock fails, and its report has the reason."""
    suite.tests(
        SKIPPING
        + """
def test_it(temporal, temporal_time):
    temporal_time.fast_forward(temporal.start(Sleeper.run, 1), DAY)
"""
    )
    result = suite.run("--temporal-timeout", "2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ClockStuck: the clock of sleeper-1 does not move: no worker polls*"])


def test_without_the_mark(suite: Suite) -> None:
    """A test that requests temporal_time needs no mark; requesting it too late is an error."""
    suite.tests(
        PLAIN
        + """
def test_asks(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper])
    temporal_time.fast_forward(temporal.start(Sleeper.run), timedelta(days=1))


def test_asks_late(temporal, request):
    request.getfixturevalue("temporal_time")
"""
    )
    result = suite.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*temporal_time needs*", "*@pytest.mark.temporal(time_skipping=True)*"])


def test_real_and_virtual_time_at_once(suite: Suite) -> None:
    """With xdist, a test that skips months does not affect the clocks of another test's workflows."""
    suite.tests(MIXED)
    suite.passes(passed=8, ways=TWO)


MARKED = (
    PLAIN
    + """

@pytest.mark.temporal(time_skipping=True)
def test_it(temporal, temporal_time):
    temporal.worker(workflows=[Sleeper])
    temporal.execute(Sleeper.run)
"""
)


def test_tuning_without_skipping(suite: Suite) -> None:
    """With the stock tuning such tests are skipped, and the reason says how to turn on time skipping."""
    suite.tests(MARKED)
    result = suite.run("--temporal-tuning", "stock")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*frontend.WorkflowTimeSkippingEnabled*fast*"])


def test_server_too_old(suite: Suite, old_binary: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a server without time skipping such tests are skipped, and the reason names the first version with it."""
    suite.tests(MARKED)
    monkeypatch.setenv("DEVSERVER_BINARY", str(old_binary("1.8.3")))
    result = suite.run()
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*server 1.31.*too old*1.32 or later*"])

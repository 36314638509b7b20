"""A bug or non-determinism in workflow code fails the test at once, with the original error."""

from __future__ import annotations

import sys

import pytest

from ..conftest import Suite

GREET = """
@workflow.defn
class Greet:
    @workflow.run
    async def run(self, name: str) -> str:
        return f"Hello, {name}"


def test_greets(temporal):
    temporal.worker(workflows=[Greet])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
"""


def test_suite_runs(every_way: Suite) -> None:
    """A test of three lines passes with and without xdist."""
    every_way.tests(GREET)
    every_way.passes(passed=1)


def test_a_bug_in_a_workflow(suite: Suite) -> None:
    """An exception in workflow code fails the workflow with its own traceback, and the report has both lines."""
    suite.tests(
        """
def price(order):
    return {}[order]


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self, order: str) -> str:
        return price(order)


def test_buggy(temporal):
    temporal.worker(workflows=[Buggy])
    temporal.execute(Buggy.run, "book")


async def drive(client):
    await client.execute_workflow(Buggy.run, "book", id="own", task_queue="tests")


def test_async(temporal):
    temporal.worker(workflows=[Buggy])
    asyncio.run(drive(temporal.client))
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=2)
    traceback = [
        '*File "*test_it.py", line *, in run',
        "*return price(order)",
        '*File "*test_it.py", line *, in price',
        "*return {}[[]order[]]",
    ]
    result.stdout.fnmatch_lines(
        [
            "*_ test_buggy _*",
            "*ApplicationError: KeyError: 'book'",
            *(traceback if sys.version_info >= (3, 11) else ()),  # exceptions have notes since then
            "The above exception was the direct cause of the following exception:",
            '>       temporal.execute(Buggy.run, "book")',
            "E       *WorkflowFailureError: Workflow execution failed",
            "test_it.py:*: WorkflowFailureError",
            "  buggy-1 (Buggy): failed",
            "    KeyError: 'book'",
            *traceback,
            "*_ test_async _*",
            ">       asyncio.run(drive(temporal.client))",
            '>       await client.execute_workflow(Buggy.run, "book", id="own", task_queue="tests")',
            "  own (Buggy): failed",
            "FAILED test_it.py::test_buggy - WorkflowFailureError: KeyError: 'book'",
        ]
    )
    for inside in ("*temporaltest/*.py*", "*concurrent/futures*", "*site-packages*", "*WaitTimeout*"):
        result.stdout.no_fnmatch_line(inside)


def test_nondeterminism_at_runtime(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cache every workflow task is a replay; a divergence fails the test at once, with event and line.

    Every failure has the words that people search for, in the summary too, also where the server retries the task.
    """
    monkeypatch.setenv("COLUMNS", "400")
    suite.tests(
        """
SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def one() -> str:
    return "1"


@activity.defn
async def two() -> str:
    return "2"


@workflow.defn
class Flaky:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(two if workflow.unsafe.is_replaying() else one, **SHORT)


def test_flaky(temporal):
    temporal.worker(workflows=[Flaky], activities=[one, two], max_cached_workflows=0)
    temporal.execute(Flaky.run)


def test_retried(temporal):
    from temporalio.worker import Worker

    async def work():
        options = {"max_cached_workflows": 0, "workflow_failure_exception_types": []}
        async with Worker(temporal.client, task_queue="q", workflows=[Flaky], activities=[one, two], **options):
            await temporal.client.execute_workflow(Flaky.run, id="retried", task_queue="q")

    temporal.run(work())
"""
    )
    result = suite.run("--show-capture=no")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines_random(
        [
            "FAILED *::test_flaky - *: [[]TMPRL1100[]] Nondeterminism error: *; the workflow is non-deterministic*",
            "FAILED *::test_retried - *the workflow retried (Flaky) is non-deterministic and fails again *TMPRL1100*",
        ]
    )
    result.stdout.fnmatch_lines(
        [
            "*ApplicationError: [[]TMPRL1100[]] Nondeterminism error: Activity type of scheduled event 'one' *",
            ">       temporal.execute(Flaky.run)",
            "  flaky-1 (Flaky): failed",
            "    the workflow flaky-1 (Flaky) does not replay: *",
            "      nearest event: 5, activity task scheduled (one)",
            "        test_it.py:* in run: await workflow.execute_activity(*",
        ]
    )
    result.stdout.no_fnmatch_line("*WaitTimeout*")


def test_reasons_of_a_timeout(suite: Suite) -> None:
    """A wait that times out names a wrong task queue, or a workflow or activity that no worker has."""
    suite.tests(
        """
SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def missing() -> None:
    pass


@activity.defn
async def present() -> None:
    pass


@workflow.defn
class Calls:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(missing, **SHORT)


@workflow.defn
class Unknown:
    @workflow.run
    async def run(self) -> None:
        pass


def test_queue(temporal):
    temporal.worker(workflows=[Calls])
    temporal.execute(Calls.run, task_queue="typo")


def test_workflow(temporal):
    temporal.worker(workflows=[Calls])
    temporal.execute(Unknown.run)


def test_activity(temporal):
    temporal.worker(workflows=[Calls], activities=[present])
    temporal.execute(Calls.run)
"""
    )
    result = suite.run("--temporal-timeout", "1", "--show-capture=no")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "E           workflow task pending, attempt 1",
            "E           no worker of this test polls its task queue 'typo'; they poll 'tests'",
            "E           its workflow task fails and is retried: NotFoundError: Workflow class Unknown is not *",
            "E           activity missing pending: *",
            "E             last failure: NotFoundError: Activity function missing * is not registered *",
            "E           waits at test_it.py:* in run: await workflow.execute_activity(missing, **SHORT)",
        ]
    )


def test_an_error_of_the_server_is_shown_once(suite: Suite) -> None:
    """A refused call is shown with the server's error, without the raw response."""
    suite.tests(
        """
@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


def test_twice(temporal):
    temporal.start(Waits.run, id="a")
    temporal.start(Waits.run, id="a")
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_twice - WorkflowAlreadyStartedError: Workflow exec*"])
    result.stdout.no_fnmatch_line("*temporal_sdk_bridge*")


def test_missing_workers_activities_and_time_skipping(suite: Suite) -> None:
    """A test without a worker, a worker without activities and a timer in real time fail with what to add."""
    suite.tests(
        """
SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def pack() -> None:
    pass


@workflow.defn
class Packs:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(pack, **SHORT)


@workflow.defn
class Sleeps:
    @workflow.run
    async def run(self, seconds: int) -> None:
        await workflow.sleep(0.01)
        await workflow.sleep(seconds)


def test_worker(temporal):
    temporal.execute(Packs.run)


def test_activity(temporal):
    temporal.worker(workflows=[Packs])
    temporal.execute(Packs.run)


def test_long_timer(temporal):
    temporal.worker(workflows=[Sleeps])
    temporal.execute(Sleeps.run, 30 * 86400 + 60)


def test_short_timer(temporal):
    temporal.worker(workflows=[Sleeps])
    temporal.execute(Sleeps.run, 9)
"""
    )
    result = suite.run("--temporal-timeout", "1", "--show-capture=no")
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(
        [
            "E * polls its task queue 'tests'; start one: temporal.worker(workflows=[[]Packs[]])",
            "E           activity pack pending: not started, attempt 1",
            "E           *no worker has polled it from the task queue 'tests': start one with activities=[[]pack[]]",
            "E           timer pending: 30 days 0:01:00; use @pytest.mark.temporal(time_skipping=True) to *",
            "E           timer pending: 9 s",
            "FAILED test_it.py::test_long_timer - WaitTimeout: waited more than 1 s for *",
        ]
    )


def test_waits_for_workers_that_look_alike(suite: Suite) -> None:
    """An activity that waits for the only slot, one between attempts, and a workflow whose worker was stopped: the
    report tells each from a missing worker.
    """
    suite.tests(
        """
from temporalio.common import RetryPolicy

SHORT = {"start_to_close_timeout": timedelta(seconds=50)}


@activity.defn
async def pack() -> None:
    await asyncio.sleep(60)


@activity.defn
async def fails() -> None:
    raise ValueError("no box")


@workflow.defn
class Packs:
    @workflow.run
    async def run(self, queue: str = "tests") -> None:
        await workflow.execute_activity(pack, task_queue=queue, **SHORT)


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> None:
        again = RetryPolicy(initial_interval=timedelta(seconds=0.3), maximum_interval=timedelta(seconds=0.3))
        await workflow.execute_activity(fails, task_queue="fails", retry_policy=again, **SHORT)


def test_full(temporal):
    temporal.worker(workflows=[Packs], activities=[pack], max_concurrent_activities=1)
    temporal.start(Packs.run, id="first")
    temporal.execute(Packs.run, id="second")


def test_stopped(temporal):
    with temporal.worker(workflows=[Packs]):
        pass
    temporal.execute(Packs.run)


def test_between_attempts(temporal):
    temporal.worker(workflows=[Retries])
    with temporal.worker(activities=[fails], task_queue="fails"):
        handle = temporal.start(Retries.run)
        temporal.run(second_attempt(handle))
    temporal.run(handle.result())


async def second_attempt(handle):
    while True:
        pending = (await handle.describe()).raw_description.pending_activities
        if pending and pending[0].attempt > 1:
            return
        await asyncio.sleep(0.02)
"""
    )
    result = suite.run("--temporal-timeout", "2", "--show-capture=no")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "E           activity pack pending: not started, attempt 1",
            "E             a worker has last polled the task queue 'tests' * s ago, and none has started*free slot*",
            "E           no worker polls its task queue 'tests' now: those of this test have stopped",
            "E           activity fails pending: waits for a worker, attempt *",
            "E             no worker polls the task queue 'fails' now",
        ]
    )
    result.stdout.no_fnmatch_line("*start one with activities=[[]pack[]]*")


def test_blocking_code(suite: Suite) -> None:
    """Workflow code that never awaits is named with its line, and neither the test nor the run hangs."""
    suite.tests(
        """
@workflow.defn
class Blocks:
    @workflow.run
    async def run(self) -> None:
        while True:
            pass


def test_blocks(temporal):
    temporal.worker(workflows=[Blocks])
    temporal.execute(Blocks.run)
"""
    )
    result = suite.run("--temporal-timeout", "4", "--show-capture=no")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E           its workflow task fails and is retried: *[[]TMPRL1101[]] Potential deadlock detected: *",
            'E             File "*test_it.py", line *, in run',
        ]
    )

"""Every workflow of a test is replayed at its end; a passing test whose code is not deterministic fails."""

from __future__ import annotations

from ..conftest import CODEC, Suite

ACTIVITIES = """
from temporalio.common import RetryPolicy

SHORT = {"start_to_close_timeout": timedelta(seconds=5)}


@activity.defn
async def one() -> str:
    return "1"


@activity.defn
async def two() -> str:
    return "2"


async def other_when_replayed() -> None:
    await workflow.execute_activity(two if workflow.unsafe.is_replaying() else one, **SHORT)
"""

FLAKY = f"""
{ACTIVITIES}

@workflow.defn
class Flaky:
    @workflow.run
    async def run(self) -> str:
        await other_when_replayed()
        return "done"


def test_flaky(temporal):
    temporal.worker(workflows=[Flaky], activities=[one, two])
    assert temporal.execute(Flaky.run) == "done"
"""

KINDS = f"""
{ACTIVITIES}
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None:
        await other_when_replayed()


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_child_workflow(Child.run, id="the-child")


@workflow.defn
class Goes:
    @workflow.run
    async def run(self, rounds: int) -> None:
        if rounds:
            workflow.continue_as_new(rounds - 1)
        await other_when_replayed()


@workflow.defn
class Retried:
    @workflow.run
    async def run(self) -> None:
        if workflow.info().attempt == 1:
            raise ApplicationError("once")
        await other_when_replayed()


@workflow.defn
class Reset:
    def __init__(self) -> None:
        self.go = False

    @workflow.signal
    def proceed(self) -> None:
        self.go = True

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.go)
        if workflow.info().run_id != workflow.info().first_execution_run_id:
            await other_when_replayed()


@workflow.defn
class Open:
    @workflow.run
    async def run(self) -> None:
        await other_when_replayed()
        await workflow.wait_condition(lambda: False)

    @workflow.query
    def answers(self) -> bool:
        return True


def test_child(temporal):
    temporal.worker(workflows=[Parent, Child], activities=[one, two])
    temporal.execute(Parent.run)


def test_continued(temporal):
    temporal.worker(workflows=[Goes], activities=[one, two])
    temporal.execute(Goes.run, 1)


def test_retried(temporal):
    temporal.worker(workflows=[Retried], activities=[one, two])
    again = RetryPolicy(maximum_attempts=2, initial_interval=timedelta(milliseconds=1))
    temporal.execute(Retried.run, retry_policy=again)


def test_open(temporal):
    temporal.worker(workflows=[Open], activities=[one, two])
    handle = temporal.start(Open.run)
    for _ in range(1000):
        history = temporal.run(handle.fetch_history())
        if len([e for e in history.events if e.HasField("workflow_task_completed_event_attributes")]) == 2:
            break
"""

SOUND = f"""
{ACTIVITIES}
from collections.abc import Sequence
from temporalio.common import RawValue


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> None:
        await workflow.sleep(0.01)


@workflow.defn
class Order:
    def __init__(self) -> None:
        self.paid = False

    @workflow.signal
    def pay(self) -> None:
        self.paid = True

    @workflow.update
    async def amount(self) -> int:
        await workflow.sleep(0.01)
        return 5

    @workflow.run
    async def run(self, rounds: int) -> str:
        await workflow.wait_condition(lambda: self.paid or rounds == 0)
        await workflow.execute_local_activity(one, **SHORT)
        await asyncio.gather(
            workflow.execute_activity(one, **SHORT),
            workflow.execute_child_workflow(Child.run, id=f"child-{{workflow.uuid4()}}"),
        )
        if workflow.random().random() < 0.5:
            await workflow.execute_activity(two, **SHORT)
        if rounds:
            workflow.continue_as_new(rounds - 1)
        return "done"


@workflow.defn
class Fails:
    @workflow.run
    async def run(self) -> None:
        raise ValueError("always")


@workflow.defn(dynamic=True)
class Any:
    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> str:
        return workflow.info().workflow_type


@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)


def test_all_at_once(temporal):
    temporal.worker(workflows=[Order, Child], activities=[one, two])
    handle = temporal.start(Order.run, 1)
    assert temporal.run(handle.execute_update(Order.amount)) == 5
    temporal.run(handle.signal(Order.pay))
    assert temporal.run(handle.result()) == "done"


def test_failing_is_not_diverging(temporal):
    temporal.worker(workflows=[Fails])
    with pytest.raises(WorkflowFailureError):
        temporal.execute(Fails.run)


def test_dynamic(temporal):
    temporal.worker(workflows=[Any])
    assert temporal.execute("Whatever") == "Whatever"


def test_open_cancelled_and_terminated(temporal):
    temporal.worker(workflows=[Waits])
    temporal.start(Waits.run)
    temporal.run(temporal.start(Waits.run).terminate())
    cancelled = temporal.start(Waits.run)
    temporal.run(cancelled.cancel())
    with pytest.raises(WorkflowFailureError):
        temporal.run(cancelled.result())


def test_started_and_never_run(temporal):
    temporal.worker(workflows=[Waits])
    temporal.start(Waits.run, task_queue="nobody's")


def test_code_that_cannot_go_on_diverges_from_nothing(temporal):
    temporal.worker(workflows=[Fails], workflow_failure_exception_types=[KeyError])
    handle = temporal.start(Fails.run)
    for _ in range(1000):
        history = temporal.run(handle.fetch_history())
        if any(e.HasField("workflow_task_failed_event_attributes") for e in history.events):
            break
"""


def test_nondeterminism_fails_a_passing_test(both_ways: Suite) -> None:
    """The error names the event and the line, although all asserts hold."""
    path = both_ways.tests(FLAKY)
    line = 1 + next(i for i, text in enumerate(path.read_text().splitlines()) if "execute_activity(two if" in text)
    result = both_ways.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "the workflow flaky-1 (Flaky) does not replay: Activity type of * 'one' *(non-deterministic, TMPRL1100)",
            "  nearest event: 5, activity task scheduled (one)",
            "  the code was at",
            "    test_it.py:* in run: await other_when_replayed()",
            f"    test_it.py:{line} in other_when_replayed: await workflow.execute_activity(two if *",
            "the same code behaved differently when it ran again on the same history: *",
        ]
    )
    result.stdout.no_fnmatch_line("*During handling*")
    result.stdout.no_fnmatch_line("*temporaltest/*.py*")


def test_replay_off(suite: Suite) -> None:
    """Neither a test with the mark nor a run with --temporal-replay=off replays."""
    suite.tests(FLAKY)
    suite.passes("--temporal-replay=off", passed=1)
    suite.tests(FLAKY.replace("def test_flaky", "@pytest.mark.temporal(replay=False)\ndef test_flaky"))
    suite.passes(passed=1)


def test_every_kind_of_run_is_replayed(suite: Suite) -> None:
    """Children, later runs, retries and open workflows are replayed, each with its own name."""
    suite.tests(KINDS)
    result = suite.run()
    result.assert_outcomes(failed=4)
    for name in ("the-child (Child)", "goes-1 (Goes)", "retried-1 (Retried)", "open-1 (Open)"):
        result.stdout.fnmatch_lines([f"the workflow {name} does not replay: *"])


def test_a_reset_run_is_replayed(suite: Suite) -> None:
    """A run created by a reset is replayed, although the history of the first run has no link to it."""
    suite.tests(
        KINDS.split("def test_child")[0]
        + """
def test_reset(temporal):
    temporal.worker(workflows=[Reset], activities=[one, two])
    handle = temporal.start(Reset.run)
    temporal.run(handle.signal(Reset.proceed))
    temporal.run(handle.result())
    request = ResetWorkflowExecutionRequest(
        namespace=temporal.namespace,
        workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=handle.first_execution_run_id),
        workflow_task_finish_event_id=4,
        request_id="reset",
    )
    temporal.run(temporal.client.workflow_service.reset_workflow_execution(request))
    temporal.run(temporal.client.get_workflow_handle(handle.id).result())
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the workflow reset-1 (Reset) does not replay: *"])


def test_deterministic_workflows_pass(suite: Suite) -> None:
    """Signals, updates, timers, children, randomness, failures and open workflows cause no false alarm."""
    suite.tests(SOUND)
    suite.passes(passed=6)


def test_workers_of_the_sdk_are_replayed(suite: Suite) -> None:
    """Workflows on a worker created with the SDK's own class are replayed too."""
    suite.tests(
        FLAKY.split("def test_flaky")[0]
        + """
from temporalio.worker import Worker


async def drive(client):
    async with Worker(client, task_queue="own", workflows=[Flaky], activities=[one, two]):
        await client.execute_workflow(Flaky.run, id="own", task_queue="own")


def test_own(temporal_client):
    asyncio.run(drive(temporal_client))
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the workflow own (Flaky) does not replay: *"])


def test_nondeterminism_as_workflow_failure(suite: Suite) -> None:
    """A workflow type for which every exception is a failure does not make the replay hang."""
    suite.tests(FLAKY.replace("@workflow.defn\n", "@workflow.defn(failure_exception_types=[Exception])\n"))
    result = suite.run("--temporal-timeout", "10")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the workflow flaky-1 (Flaky) does not replay: *"])


def test_errors_raised_during_replay(suite: Suite) -> None:
    """Code that only fails during replay is shown with its exception and the line."""
    suite.tests(
        f"""
{ACTIVITIES}

@workflow.defn
class Picky:
    @workflow.run
    async def run(self) -> None:
        if workflow.unsafe.is_replaying():
            raise KeyError("gone")
        await workflow.execute_activity(one, **SHORT)


@workflow.defn
class Hasty:
    @workflow.run
    async def run(self) -> None:
        if not workflow.unsafe.is_replaying():
            await workflow.execute_activity(one, **SHORT)


@pytest.mark.parametrize("kind", [Picky, Hasty])
def test_kind(temporal, kind):
    temporal.worker(workflows=[kind], activities=[one])
    temporal.execute(kind.run)
"""
    )
    result = suite.run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "  nearest event: 5, activity task scheduled (one)",
            "  the code raised KeyError: 'gone'",
            '    test_it.py:* in run: raise KeyError("gone")',
            "  the code had reached the end of test_it.py:* in run: *",
        ]
    )


def test_every_run_is_replayed_with_its_code(suite: Suite) -> None:
    """If a test replaces a worker by another version, the runs of each are replayed with their own code."""
    suite.tests(
        f"""
{ACTIVITIES}

@workflow.defn(name="Order")
class First:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(one, **SHORT)


@workflow.defn(name="Order")
class Second:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(two, **SHORT)


def test_deployment(temporal):
    with temporal.worker(workflows=[First], activities=[one]):
        temporal.execute("Order")
    temporal.worker(workflows=[Second], activities=[two])
    temporal.execute("Order")
"""
    )
    suite.passes(passed=1)


def test_codec(suite: Suite) -> None:
    """Encoded payloads are replayed with the test's data converter."""
    suite.file("conftest.py", CODEC.format(more=""))
    suite.tests(
        f"""
{ACTIVITIES}

@workflow.defn
class Doubles:
    @workflow.run
    async def run(self, number: int) -> int:
        if number == 21:
            await workflow.execute_activity(one, **SHORT)
        return 2 * number


def test_doubles(temporal):
    temporal.worker(workflows=[Doubles], activities=[one])
    assert temporal.execute(Doubles.run, 21) == 42
"""
    )
    suite.passes(passed=1)

"""`find_stuck` on the real server: everything that can be stuck is found, and healthy workflows are not."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    PauseActivityRequest,
    PauseWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.stuck import Finding, Thresholds, find_stuck
from tests.helpers.shared_server import SharedServer
from tests.helpers.trouble import QUEUE, Broken, Calls, CallsSeldom, Changed, Fixed, Sleeps, worker, worker_process

from .conftest import clear, found

QUICK = Thresholds(waiting=timedelta(seconds=0.3), late=timedelta(seconds=0.3))
POLLS_OF_A_WORKER = 5  # at once, for workflow tasks, by default
SECOND = timedelta(seconds=1)


def run(server: DevServer | SharedServer, story: Callable[[Client], Awaitable[None]]) -> None:
    """Run a test with a client of the server."""

    async def with_client() -> None:
        await story(await Client.connect(server.address, namespace=server.namespace))

    asyncio.run(with_client())


def run_suggested_command(server: SharedServer, finding: Finding) -> str:
    """Run the suggested command of the finding with the Temporal CLI; it must succeed."""
    words = [str(server.executable), *finding.command, *server.words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def start(client: Client, what: Any, *args: Any, id: str, **how: Any) -> Any:  # noqa: A002 - as the SDK calls it
    """Start a workflow on the queue of `worker`, with a short workflow task timeout."""
    how = {"task_queue": QUEUE, "task_timeout": SECOND, **how}
    return await client.start_workflow(what, args=args, id=id, **how)


async def events(handle: Any, count: int) -> None:
    """Wait until the workflow has this many events."""
    while (await handle.describe()).history_length < count:
        await asyncio.sleep(0.05)


async def wait_until_settled(handle: Any, state: Callable[[DescribeWorkflowExecutionResponse], bool]) -> None:
    """Wait until no workflow task is pending and the condition is true."""
    while True:
        raw = (await handle.describe()).raw_description
        if raw.workflow_execution_info.history_length >= 4 and not raw.HasField("pending_workflow_task") and state(raw):
            return
        await asyncio.sleep(0.05)


def is_recent(when: datetime | None) -> bool:
    """Return whether the time is within this test."""
    return when is not None and timedelta(seconds=-1) < datetime.now(timezone.utc) - when < timedelta(minutes=2)


def test_healthy_workflows_are_not_found(server: SharedServer) -> None:
    """A future timer, a running activity, a wait for a signal and a first failure are not stuck."""

    async def story(client: Client) -> None:
        async with worker(client):
            sleeps = await start(client, Sleeps.run, 3600.0, id="sleeps")
            waits = await start(client, Sleeps.run, 0.0, id="waits")
            runs = await start(client, Calls.run, "hang", id="runs")
            failed = await start(client, CallsSeldom.run, id="failed-once")
            await wait_until_settled(sleeps, lambda raw: raw.workflow_execution_info.history_length >= 5)
            await wait_until_settled(waits, lambda raw: raw.workflow_execution_info.history_length >= 4)
            await wait_until_settled(runs, lambda raw: raw.pending_activities[0].HasField("last_started_time"))
            await wait_until_settled(failed, lambda raw: raw.pending_activities[0].attempt == 2)
            while (await client.count_workflows()).count < 4:
                await asyncio.sleep(0.05)
            report = await find_stuck(client)
            assert report.findings == ()
            assert (report.open, report.examined, report.complete, report.notes) == (4, 4, True, ())

    run(server, story)


def test_a_failing_workflow_task(server: SharedServer) -> None:
    """The finding has the code's error, its time and the attempt; it is gone once fixed code runs."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, Broken.run, id="broken")
            finding = await found(client, "workflow_task_failing")
            assert (finding.workflow_id, finding.workflow_type, finding.task_queue) == ("broken", "Broken", QUEUE)
            assert finding.last_failure == "RuntimeError: a bug in the workflow"
            assert any("raise RuntimeError" in line for line in finding.failure)
            assert (finding.attempts or 0) >= 2
            assert is_recent(finding.since)
            assert "fix the workflow's code" in finding.hint
            assert "WorkflowTaskFailed" in run_suggested_command(server, finding)
        async with worker(client, workflows=[Fixed]):
            await clear(client)

    run(server, story)


def test_a_failing_workflow_task_between_signals(server: SharedServer) -> None:
    """Each signal resets the server's attempt count; the workflow is still found, with all failures counted."""

    async def story(client: Client) -> None:
        async def signalling(handle: Any) -> None:
            while True:
                await handle.signal("anything")
                await asyncio.sleep(0.3)

        async with worker(client):
            handle = await start(client, Broken.run, id="broken")
            signals = asyncio.ensure_future(signalling(handle))
            try:
                many = Thresholds(workflow_task_attempts=6)
                finding = await found(client, "workflow_task_failing", thresholds=many)
                assert (finding.attempts or 0) >= 6
                assert (await handle.describe()).raw_description.pending_workflow_task.attempt < 6
            finally:
                signals.cancel()

    run(server, story)


def test_code_that_no_longer_fits_the_history(server: SharedServer) -> None:
    """The finding says that the code changed, and its command lets the workflow continue."""

    async def story(client: Client) -> None:
        async with worker(client):
            handle = await start(client, Sleeps.run, 3600.0, id="changed")
            await events(handle, 5)
        async with worker(client, workflows=[Changed]):
            await handle.signal("tell")
            finding = await found(client, "workflow_task_failing")
            assert "Nondeterminism" in (finding.last_failure or "")
            assert "the code that this workflow started with" in finding.hint
            assert "guard the change with workflow.patched:" in finding.hint
            run_suggested_command(server, finding)
            await clear(client)

    run(server, story)


def test_a_workflow_task_that_is_not_answered(server: SharedServer) -> None:
    """A frozen worker takes a task and does not answer; the finding is gone once it is resumed."""

    async def story(client: Client) -> None:
        with worker_process(server.address, namespace=server.namespace) as process:
            await events(await start(client, Sleeps.run, 3600.0, id="first"), 5)
            process.send_signal(signal.SIGSTOP)
            try:
                await start(client, Sleeps.run, 3600.0, id="frozen")
                finding = await found(client, "workflow_task_failing")
                assert (finding.workflow_id, finding.last_failure) == ("frozen", None)
                assert "times out" in finding.what
            finally:
                process.send_signal(signal.SIGCONT)
            await clear(client)

    run(server, story)


def test_an_activity_with_many_attempts(server: SharedServer) -> None:
    """The finding has the last failure as one line and in full, from the given number of attempts on."""

    async def story(client: Client) -> None:
        async with worker(client):
            handle = await start(client, Calls.run, "fail", id="calls")
            finding = await found(client, "activity_retrying")
            assert (finding.activity_type, finding.activity_id, finding.workflow_type) == ("fail", "1", "Calls")
            assert finding.last_failure == "ValueError: the disk is full second line"
            assert finding.failure[:2] == ("ValueError: the disk is full", "second line")
            assert (finding.attempts or 0) >= 3
            assert is_recent(finding.since)
            await clear(client, thresholds=Thresholds(attempts=100_000))
            run_suggested_command(server, finding)
            await handle.terminate()
            await clear(client)

    run(server, story)


def test_time_of_the_next_attempt(server: SharedServer) -> None:
    """For an activity in backoff, the finding says when the next attempt is due."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, CallsSeldom.run, id="seldom")
            finding = await found(client, "activity_retrying", thresholds=Thresholds(attempts=2))
            assert finding.next_retry is not None
            wait = finding.next_retry - datetime.now(timezone.utc)
            assert timedelta(minutes=8) < wait < timedelta(minutes=11)
            assert "attempt 2 comes next" in finding.what

    run(server, story)


def test_a_task_queue_without_a_worker(server: SharedServer) -> None:
    """One finding covers all workflows of the queue; it is gone once a worker polls."""

    async def story(client: Client) -> None:
        for number in range(3):
            await start(client, Sleeps.run, 0.0, id=f"sleeps-{number}")
        report = await find_stuck(client, workflow_id="sleeps-1")
        assert [(finding.kind, finding.workflow_id, finding.workflows) for finding in report.findings] == [
            ("no_worker", "sleeps-1", 1)
        ]
        finding = await found(client, "no_worker", fits=lambda each: each.workflows == 3)
        assert (finding.workflow_id, finding.task_queue) == ("sleeps-0", QUEUE)
        assert is_recent(finding.since)
        assert finding.hint == f"start a worker for the task queue {QUEUE}"
        run_suggested_command(server, finding)
        async with worker(client):
            await clear(client)

    run(server, story)


def test_a_workflow_that_waits_without_a_worker(server: SharedServer) -> None:
    """Nothing is due yet, but nobody would run it: the workflow is found once its worker has left."""

    async def story(client: Client) -> None:
        async with worker(client):
            await events(await start(client, Sleeps.run, 3600.0, id="sleeps"), 5)
        finding = await found(client, "no_worker")
        assert (finding.workflow_id, finding.since, finding.workflows) == ("sleeps", None, 1)

    run(server, story)


def test_an_activity_that_no_worker_takes(server: SharedServer) -> None:
    """The workflow's task queue has a worker and the activity's has none, so only the second is named."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, Calls.run, "fail", "elsewhere", id="calls")
            finding = await found(client, "no_worker", thresholds=QUICK)
            assert "for activities" in finding.what
            report = await find_stuck(client, thresholds=QUICK)
            assert [finding.task_queue for finding in report.findings] == ["elsewhere"]
            async with worker(client, queue="elsewhere"):
                await found(client, "activity_retrying", fits=lambda each: each.task_queue == "elsewhere")

    run(server, story)


def test_tasks_that_a_busy_worker_does_not_take(server: SharedServer) -> None:
    """An activity that waits for the worker's only slot is found after the threshold, and not before."""

    async def story(client: Client) -> None:
        async with worker(client, max_concurrent_activities=1):
            for number in range(2):
                await start(client, Calls.run, "hang", id=f"calls-{number}")
            finding = await found(client, "activity_waiting", thresholds=QUICK)
            assert finding.activity_type == "hang"
            assert "no free slots" in finding.hint
            assert is_recent(finding.since)
            assert len((await find_stuck(client, thresholds=QUICK)).findings) == 1
            await clear(client)

    run(server, story)


def test_a_workflow_whose_worker_was_just_killed(server: SharedServer) -> None:
    """The server lists a killed worker for minutes; the waiting task is found long before."""

    async def story(client: Client) -> None:
        with worker_process(server.address, namespace=server.namespace) as process:
            await events(await start(client, Sleeps.run, 3600.0, id="first"), 5)
            process.kill()
            process.wait()
        # The server may still hand a task to each poll of the dead worker, until it sees the connection end.
        for number in range(POLLS_OF_A_WORKER + 1):
            await start(client, Sleeps.run, 0.0, id=f"later-{number}")
        finding = await found(client, "workflow_task_waiting", thresholds=QUICK)
        assert finding.workflow_id.startswith("later-")
        assert is_recent(finding.since)
        async with worker(client):
            await clear(client)

    run(server, story)


def test_a_late_timer(installed: Executable) -> None:
    """A timer that the server fires late is found with its due time; a future timer is not."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, Sleeps.run, 0.5, id="late")
            await start(client, Sleeps.run, 3600.0, id="in-time")
            finding = await found(client, "timer_late", thresholds=QUICK)
            assert finding.workflow_id == "late"
            assert is_recent(finding.since)
            assert (await find_stuck(client)).findings == ()

    with DevServer.start(ui=False, dynamic_config={"history.timerProcessorMaxTimeShift": "300s"}) as server:
        run(server, story)


def test_virtual_clocks(server: SharedServer) -> None:
    """Timers and waits are measured on the workflow's virtual clock, ages in real time."""

    async def story(client: Client) -> None:
        skipping = TimeSkipper(client).client
        async with worker(client):
            handle = await start(skipping, Sleeps.run, 86400.0 * 3, id="skips")
            await events(handle, 10)
        await handle.signal("tell")
        finding = await found(client, "no_worker")
        assert is_recent(finding.since)
        report = await find_stuck(client, thresholds=Thresholds(waiting=timedelta(minutes=2)))
        assert [finding.kind for finding in report.findings] == ["no_worker"]

    run(server, story)


def test_a_paused_workflow(server: SharedServer) -> None:
    """The finding says who paused it, why and when; its command resumes the workflow."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, Sleeps.run, 0.0, id="paused")
            await clear(client)
            request = PauseWorkflowExecutionRequest(
                namespace=client.namespace, workflow_id="paused", identity="ann", reason="disk swap", request_id="1"
            )
            await client.workflow_service.pause_workflow_execution(request)
            finding = await found(client, "workflow_paused")
            assert (finding.workflow_id, finding.what) == ("paused", "paused by ann: disk swap")
            assert is_recent(finding.since)
            assert (await find_stuck(client, workflow_id="paused")).findings == (finding,)
            run_suggested_command(server, finding)
            await clear(client)

    run(server, story)


def test_a_paused_activity(server: SharedServer) -> None:
    """The finding says who paused it and why, with its last failure; its command resumes the activity."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, Calls.run, "fail", id="calls")
            request = PauseActivityRequest(
                namespace=client.namespace,
                execution=WorkflowExecution(workflow_id="calls"),
                identity="ann",
                reason="disk swap",
                type="fail",
            )
            await found(client, "activity_retrying")
            await client.workflow_service.pause_activity(request)
            finding = await found(client, "activity_paused")
            assert finding.what == "its activity fail is paused by ann: disk swap"
            assert finding.last_failure == "ValueError: the disk is full second line"
            assert [finding.kind for finding in (await find_stuck(client)).findings] == ["activity_paused"]
            run_suggested_command(server, finding)
            await found(client, "activity_retrying")

    run(server, story)


def test_order_of_findings(server: SharedServer) -> None:
    """Failing code comes first, then missing workers, then retries, and paused workflows last."""

    async def story(client: Client) -> None:
        async with worker(client):
            await start(client, Sleeps.run, 0.0, id="paused")
            await clear(client)
            await client.workflow_service.pause_workflow_execution(
                PauseWorkflowExecutionRequest(namespace=client.namespace, workflow_id="paused", request_id="1")
            )
            await start(client, Calls.run, "fail", id="calls")
            await start(client, Sleeps.run, 0.0, id="alone", task_queue="nobody")
            await start(client, Broken.run, id="broken")
            await found(client, "workflow_task_failing")
            await found(client, "activity_retrying")
            kinds = [finding.kind for finding in (await find_stuck(client)).findings]
            assert kinds == ["workflow_task_failing", "no_worker", "activity_retrying", "workflow_paused"]

    run(server, story)


def test_a_closed_workflow(server: SharedServer) -> None:
    """A closed workflow is never stuck."""

    async def story(client: Client) -> None:
        handle = await start(client, Sleeps.run, 0.0, id="over")
        assert (await find_stuck(client, workflow_id="over")).stuck
        await handle.terminate()
        report = await find_stuck(client, workflow_id="over")
        assert (report.findings, report.open, report.complete) == ((), 0, True)

    run(server, story)

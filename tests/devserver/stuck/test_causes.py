"""`find_stuck` names the true cause: situations that look alike, made real beside each other on one server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import signal
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, VersioningBehavior, WorkerDeploymentVersion
from temporalio.converter import DataConverter, PayloadCodec
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.worker import UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from devserver import DevServer
from devserver.client.calls import ServiceCalls
from devserver.deployments import set_current
from devserver.executables.models import Executable
from devserver.stuck import Finding, Thresholds, find_stuck
from devserver.stuck.diagnosis import diagnose
from devserver.stuck.inspection import InspectionRules, ReadBudget
from devserver.stuck.task_queues import QueueNeeds, task_queue_findings
from tests.helpers.shared_server import started
from tests.helpers.trouble import SOON, Broken, Calls, Sleeps, fail, hang, worker, worker_process

from .conftest import found
from .test_detector import events, start

QUICK = Thresholds(waiting=timedelta(seconds=0.3))
SECOND = timedelta(seconds=1)
TOO_LARGE = 3_000_000
LATER = timedelta(seconds=100)  # the server remembers a poll for longer, and a worker that is there polls sooner


@pytest.fixture(scope="module")
def server(prepared: Executable, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """One server; each test has task queues of its own."""
    with started(prepared, tmp_path_factory) as server:
        yield server


class DownCodec(PayloadCodec):
    """A codec whose server is down for one direction."""

    def __init__(self, *, encodes: bool) -> None:
        self._encodes = encodes

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encode."""
        if not self._encodes:
            raise ConnectionError("connection refused")
        return list(payloads)

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decode."""
        if self._encodes:
            raise ConnectionError("connection refused")
        return list(payloads)


@activity.defn
async def large() -> bytes:
    """Return more than the server accepts."""
    return b"x" * TOO_LARGE


@activity.defn
async def one(_: str) -> None:
    """Take an argument."""


@workflow.defn
class Large:
    """A workflow with a result that the server does not accept."""

    @workflow.run
    async def run(self) -> bytes:
        """Return it."""
        return b"x" * TOO_LARGE


@workflow.defn
class Tagged:
    """A workflow that sets a search attribute that does not exist."""

    @workflow.run
    async def run(self) -> None:
        """Set it."""
        workflow.upsert_search_attributes([SearchAttributeKey.for_keyword("Missing").value_set("x")])
        await workflow.sleep(1)


@workflow.defn
class Blocks:
    """A workflow that keeps its worker's thread."""

    @workflow.run
    async def run(self) -> None:
        """Block for longer than the task's timeout."""
        time.sleep(1.5)


@workflow.defn
class Passes:
    """Execute an activity with a value, retried soon."""

    @workflow.run
    async def run(self, name: str, queue: str, value: str | None, seconds: float) -> None:
        """Execute it."""
        await workflow.execute_activity(
            name,
            task_queue=queue,
            args=[] if value is None else [value],
            start_to_close_timeout=timedelta(seconds=seconds),
            retry_policy=SOON,
        )


def worker_of(
    client: Client, queue: str, workflows: Sequence[type], activities: Sequence[Any] = (), **more: Any
) -> Worker:
    """Return a worker with exactly these workflows and activities."""
    return Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=activities,
        workflow_runner=UnsandboxedWorkflowRunner(),
        graceful_shutdown_timeout=timedelta(0),
        **more,
    )


async def connect(server: DevServer, identity: str, codec: PayloadCodec | None = None) -> Client:
    """Return a client whose workers have that identity, and report their slots every second."""
    converter = (
        DataConverter.default if codec is None else dataclasses.replace(DataConverter.default, payload_codec=codec)
    )
    runtime = Runtime(telemetry=TelemetryConfig(), worker_heartbeat_interval=SECOND)
    return await Client.connect(server.address, identity=identity, data_converter=converter, runtime=runtime)


async def of(client: Client, workflow_id: str, kind: str, thresholds: Thresholds = QUICK) -> Finding:
    """Return the finding of that kind about one workflow."""
    return await found(client, kind, workflow_id=workflow_id, thresholds=thresholds)


async def after(client: Client, workflow_id: str, later: timedelta) -> list[Finding]:
    """Return what is found about a workflow at a later time, with what the server knows now."""
    calls, now = ServiceCalls(client), datetime.now(timezone.utc) + later
    seen = await diagnose(calls, workflow_id, "", InspectionRules(QUICK, now, ReadBudget(1)))
    needs = QueueNeeds()
    needs.add(seen.needs)
    return await task_queue_findings(calls, seen.suspects, needs, now)


def test_failing_workflow_tasks_that_look_alike(server: DevServer) -> None:
    """The hint differs for a bug, a missing type, a codec that is down, a size limit, a refusal and a blocked worker;
    it names the worker where that matters.
    """

    async def story() -> None:
        client = await Client.connect(server.address)
        workers = [
            worker_of(await connect(server, "bug"), "bug", [Broken]),
            worker_of(await connect(server, "other-code"), "other-code", [Sleeps]),
            worker_of(await connect(server, "decodes", DownCodec(encodes=True)), "decodes", [Sleeps]),
            worker_of(await connect(server, "encodes", DownCodec(encodes=False)), "encodes", [Large]),
            worker_of(await connect(server, "large"), "large", [Large]),
            worker_of(await connect(server, "tagged"), "tagged", [Tagged]),
            worker_of(await connect(server, "blocks"), "blocks", [Blocks]),
        ]
        async with contextlib.AsyncExitStack() as stack:
            for each in workers:
                await stack.enter_async_context(each)
            for name, kind, *args in (
                *(("bug", "Broken"), ("other-code", "Broken"), ("decodes", "Sleeps", 1.0), ("encodes", "Large")),
                *(("large", "Large"), ("tagged", "Tagged"), ("blocks", "Blocks")),
            ):
                await start(client, kind, *args, id=str(name), task_queue=str(name))
            hints = {each.task_queue: (await of(client, each.task_queue, "workflow_task_failing")) for each in workers}
        assert hints["bug"].hint.startswith("fix the workflow's code")
        assert hints["other-code"].hint.startswith(
            "the worker other-code polls this task queue without this workflow type"
        )
        assert hints["decodes"].hint.startswith("the data converter of the worker decodes fails: check its codec")
        assert hints["encodes"].hint.startswith("the data converter of the worker encodes fails: check its codec")
        assert hints["large"].hint.startswith("the workflow sends more than the server accepts (by default 2 MiB")
        assert hints["tagged"].hint.startswith("the server refuses what the workflow asks for")
        assert hints["blocks"].what == "its workflow task times out: a worker starts it and does not answer"
        assert hints["blocks"].hint.startswith("check the log and the load of the worker blocks")

    asyncio.run(story())


def test_retried_activities_that_look_alike(server: DevServer) -> None:
    """The hint differs for an error, a missing type, too large an answer, a codec that is down and a timeout."""

    async def story() -> None:
        client = await Client.connect(server.address)
        workflows = await connect(server, "workflows")
        everything = await connect(server, "activities")
        codec = await connect(server, "codec", DownCodec(encodes=True))
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(worker_of(workflows, "retried", [Passes]))
            await stack.enter_async_context(worker_of(everything, "has-most", [], [fail, hang, large]))
            await stack.enter_async_context(worker_of(codec, "codec", [], [one]))
            for name, queue, value, seconds in (
                *(("fail", "has-most", None, 60.0), ("hang", "has-most", None, 0.2), ("large", "has-most", None, 60.0)),
                *(("one", "has-most", "x", 60.0), ("one", "codec", "x", 60.0)),
            ):
                args = (name, queue, value, seconds)
                await start(client, Passes.run, *args, id=f"{name}-{queue}", task_queue="retried")
            found = {
                name: await of(client, name, "activity_retrying")
                for name in ("fail-has-most", "hang-has-most", "large-has-most", "one-has-most", "one-codec")
            }
        assert found["fail-has-most"].hint.startswith("fix what makes it fail")
        assert found["one-has-most"].hint.startswith(
            "the worker activities polls this task queue without this activity type"
        )
        assert found["large-has-most"].hint.startswith("the activity sends more than the server accepts")
        assert found["one-codec"].hint.startswith("the data converter of the worker codec fails")
        assert found["hang-has-most"].hint.startswith("the server got no answer in time: the attempt takes longer than")

    asyncio.run(story())


def test_waiting_tasks_that_look_alike(server: DevServer) -> None:
    """A worker that was killed, frozen, stopped or has no free slot, and one that never was: each is told apart as far
    as the server shows it, and later, when the server takes a silent worker for gone, a full one is not.
    """

    async def story() -> None:
        client = await Client.connect(server.address)
        full = await connect(server, "full")
        async with contextlib.AsyncExitStack() as stack:
            killed = stack.enter_context(worker_process(server.address, queue="killed", cached=10))
            frozen = stack.enter_context(worker_process(server.address, queue="frozen"))
            queues = ("killed", "frozen", "stopped")
            async with worker(client, queue="stopped"):
                handles = {
                    queue: await start(client, Sleeps.run, 3600.0, id=queue, task_queue=queue) for queue in queues
                }
                for handle in handles.values():
                    await events(handle, 5)
            killed.kill()
            killed.wait()
            frozen.send_signal(signal.SIGSTOP)
            await stack.enter_async_context(worker(full, queue="full", max_concurrent_activities=1))
            await start(client, Calls.run, "hang", id="runs", task_queue="full")
            await running(client, "runs")
            await start(client, Calls.run, "hang", id="full", task_queue="full")
            await start(client, Sleeps.run, 0.0, id="never", task_queue="never")
            for handle in handles.values():
                await handle.signal("tell")

            stopped, never = [await of(client, name, "no_worker") for name in ("stopped", "never")]
            assert stopped.what == "no worker polls the task queue stopped for workflow tasks; this workflow needs one"
            assert never.hint == "start a worker for the task queue never"

            # The server waits a second for the worker that has the workflow in its cache: nobody started that task.
            await timed_out(client, "killed")
            waits = await of(client, "killed", "workflow_task_waiting")
            assert "no worker has polled the task queue killed for workflow tasks since" in waits.hint
            assert "; the last was killed, at " in waits.hint
            assert "check whether it was killed, is frozen, or has no free slots" in waits.hint
            kinds = [each.kind for each in (await find_stuck(client, workflow_id="killed", thresholds=QUICK)).findings]
            assert kinds == ["workflow_task_waiting"]

            silent = await of(client, "frozen", "workflow_task_failing")
            assert silent.what == "its workflow task times out: a worker starts it and does not answer"
            assert silent.hint.startswith("check the log and the load of the worker frozen")

            busy = await found(
                client,
                "activity_waiting",
                workflow_id="full",
                thresholds=QUICK,
                fits=lambda it: "full (" in it.hint,
            )
            assert busy.hint.startswith("full (1 in use) reports no free activity slot, at ")

            later = await after(client, "full", LATER)
            assert [each.kind for each in later if "activit" in each.what] == ["activity_waiting"]
            gone = (await after(client, "killed", LATER))[0]
            assert gone.kind == "no_worker"
            assert "no worker has polled the task queue killed for workflow tasks in the last 90 s" in gone.what
            assert gone.hint.endswith("one that was killed, is frozen or has no free slot does not poll")

    asyncio.run(story())


def test_versions_that_look_alike(server: DevServer) -> None:
    """Workers poll, and none is of the version that the workflow needs: the finding names both, and what helps."""

    async def story() -> None:
        client = await Client.connect(server.address)
        async with versioned(client, "1"):
            await start(client, Sleeps.run, 0.0, id="new", task_queue="versions")
            new = await of(client, "new", "workflow_task_waiting")
            assert new.hint.startswith("only shop:1 polls, and the task queue has no current version")
            await set_current(client, "shop", "1")
            handle = await start(client, Sleeps.run, 3600.0, id="pinned", task_queue="versions")
            await events(handle, 5)
        async with versioned(client, "2"):
            await handle.signal("tell")
            await timed_out(client, "pinned")
            pinned = await of(client, "pinned", "workflow_task_waiting")
            assert pinned.hint.startswith("this workflow is pinned to the version shop:1, and only shop:2 polls")
            await start(client, Sleeps.run, 0.0, id="newer", task_queue="versions")
            newer = await of(client, "newer", "workflow_task_waiting")
            assert newer.hint.startswith("the current version of the task queue is shop:1, and only shop:2 polls")

    asyncio.run(story())


def versioned(client: Client, build: str) -> Worker:
    """Return a worker of that build of the deployment `shop`."""
    config = WorkerDeploymentConfig(
        version=WorkerDeploymentVersion("shop", build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )
    more: dict[str, Any] = {"deployment_config": config, "sticky_queue_schedule_to_start_timeout": SECOND}
    return worker_of(client, "versions", [Sleeps], **more)


async def running(client: Client, workflow_id: str) -> None:
    """Wait until the workflow's activity runs."""
    handle = client.get_workflow_handle(workflow_id)
    while not any(
        each.HasField("last_started_time") for each in (await handle.describe()).raw_description.pending_activities
    ):
        await asyncio.sleep(0.05)


async def timed_out(client: Client, workflow_id: str) -> None:
    """Wait until a workflow task of the workflow has timed out."""
    calls, execution = ServiceCalls(client), WorkflowExecution(workflow_id=workflow_id)
    while not any(
        event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT
        for event in await calls.last_events(execution, 20)
    ):
        await asyncio.sleep(0.05)

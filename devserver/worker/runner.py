"""Makes the worker in its process, runs it, and drains it when asked to stop: workflow tasks first, then activities."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.worker import Worker

from ..client.nexus_endpoints import endpoints_of, ensure_endpoint
from ..client.target import Target, find_target
from ..introspection import converters
from ..system.channel import ParentChannel
from . import import_snapshot
from .config import WorkerOptions
from .errors import RunError, WorkerEnded
from .factory import make_runtime, make_worker
from .failure_reporter import FailureReporter
from .refusals import AnswerSizes, report_refusals
from .server_check import check_server

if TYPE_CHECKING:
    from ..introspection import Module

POLL_SECONDS = 0.005
# A server registers a build within a second, and retries for five before it refuses one.
REGISTER_SECONDS, REGISTER_POLL_SECONDS = 20.0, 0.05
REFUSED_SECONDS = 0.5


async def serve(module: Module, options: WorkerOptions, channel: ParentChannel, since: float) -> None:
    """Make the worker, report its facts, wait for `run`, then run until `stop`.

    `since` is when the import of the module began (seconds since the epoch).

    Raises:
        CannotAsk: The server cannot be reached.
        IntrospectionError: A plugin raises.
        RunError: The SDK refuses the module or the options, or the worker ends by itself.
    """
    reporter = FailureReporter(channel, module.project)
    target = find_target(options.connection)
    runtime = make_runtime(options, reporter)
    client = await converters.connect_for(module, target, large_payloads=options.large_payloads, runtime=runtime)
    limit = await _payload_limit(client)
    worker = make_worker(client, module, options, reporter)
    AnswerSizes(reporter, limit).watch(worker)
    drained = _drained(worker)
    facts = await worker_facts(client, module, options, target)
    channel.send("prepared", **facts, files=import_snapshot.imported_files(), since=since)
    await channel.receive_async()
    reporter.starting = options.build is not None
    running = asyncio.create_task(worker.run())
    while not (worker.is_running or running.done()):
        await asyncio.sleep(POLL_SECONDS)
    stop = asyncio.create_task(channel.receive_async())
    if options.build is not None:
        await _registered(client, module, options, reporter, (running, stop))
    channel.send("running")
    checking = asyncio.create_task(check_server(client, options.connection, channel))
    reporting = asyncio.create_task(report_refusals(client, options.queue(module), reporter))
    await asyncio.wait((running, stop, checking), return_when=asyncio.FIRST_COMPLETED)
    if checking.done():
        await checking
    checking.cancel()
    reporting.cancel()
    if running.done():
        raise _ended(running)
    stopping = asyncio.create_task(worker.shutdown())
    await asyncio.wait((running, asyncio.create_task(drained.wait())), return_when=asyncio.FIRST_COMPLETED)
    channel.send("drained", activities=reporter.running_activities)
    await asyncio.wait((running, stopping))


async def worker_facts(client: Client, module: Module, options: WorkerOptions, target: Target) -> dict[str, Any]:
    """What the worker has and where it polls, as plain data. Creates the Nexus endpoint of the options.

    Raises:
        RunError: The endpoint points elsewhere.
        CannotAsk: The server does not answer.
    """
    from ..instances.dev_server import DevServer

    queue = options.queue(module)
    if options.nexus_endpoint:
        await ensure_endpoint(client, options.nexus_endpoint, queue)
    return {
        "module": module.name,
        "file": str(module.file) if module.file else None,
        "task_queue": queue,
        "address": target.address,
        "namespace": target.namespace,
        "instance": target.name,
        "ui_url": DevServer.attach(target.name).ui_url if target.name else None,
        "workflows": [workflow.label for workflow in module.workflows],
        "activities": [activity.label for activity in module.activities],
        "nexus_services": [service.label for service in module.nexus_services],
        "nexus_endpoints": await endpoints_of(client, queue) if module.nexus_services else [],
        "plugins": [plugin.name() for plugin in module.plugins],
        "version": await _version(client, module, options),
        "notes": list(module.notes),
    }


async def _version(client: Client, module: Module, options: WorkerOptions) -> dict[str, Any] | None:
    """The Worker Deployment Version, and whether it is current or ramping."""
    from ..deployments import describe_deployment
    from ..errors import DevServerError

    if options.build is None:
        return None
    name = options.deployment_of(module)
    try:
        routing = (await describe_deployment(client, name)).routing
        current = options.build in (routing.current, routing.ramping)
    except DevServerError:  # such as before its first worker
        current = False
    return {"deployment": name, "build": options.build, "behavior": options.behavior, "current": current}


def _drained(worker: Worker) -> asyncio.Event:
    """Set when the worker has completed its last workflow task; activities may still run.

    The SDK has no event for this, so we watch the part of it that polls workflow tasks.
    """
    drained = asyncio.Event()
    part = getattr(worker, "_workflow_worker", None)
    run: Callable[[], Awaitable[None]] | None = getattr(part, "run", None)
    if part is None:
        drained.set()
    elif run is not None:

        async def run_and_set() -> None:
            try:
                await run()
            finally:
                drained.set()

        part.run = run_and_set
    return drained


async def _registered(
    client: Client,
    module: Module,
    options: WorkerOptions,
    reporter: FailureReporter,
    ending: Sequence[asyncio.Task[Any]],
) -> None:
    """Wait until the deployment has the build with each kind of task that it polls, or one of the tasks ends; a slow
    server registers them later.

    Raises:
        DeploymentRefused: The server refuses the build.
    """
    from ..deployments.calls import DeploymentCalls
    from ..errors import DevServerError

    content = {"workflow": module.workflows, "activity": module.activities, "nexus": module.nexus_services}
    kinds = {kind for kind, definitions in content.items() if definitions}
    calls, deployment, build = DeploymentCalls(client), options.deployment_of(module), str(options.build)
    deadline = time.monotonic() + REGISTER_SECONDS
    while time.monotonic() < deadline and not any(task.done() for task in ending):
        refused_since = reporter.refused_since
        with contextlib.suppress(DevServerError):  # such as before its first worker
            if {queue.kind for queue in await calls.queues(deployment, build)} >= kinds:
                reporter.registered = time.monotonic()
                break
        # Of polls that register the last possible deployment at the same time, the server refuses all but one.
        if reporter.refusal is not None and time.monotonic() - refused_since > REFUSED_SECONDS:
            raise reporter.refusal
        await asyncio.sleep(REGISTER_POLL_SECONDS)
    reporter.starting = False


async def _payload_limit(client: Client) -> int:
    """The limit of one payload in bytes, 0 if the server does not tell.

    Checks that the namespace exists: the SDK's own error comes late and is long.
    """
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import RPCError

    from ..client.call_errors import call_failed
    from ..client.calls import CALL_TIMEOUT

    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        answer = await client.workflow_service.describe_namespace(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise call_failed(client, error) from None
    return answer.namespace_info.limits.blob_size_limit_error


def _ended(running: asyncio.Task[None]) -> RunError:
    error = None if running.cancelled() else running.exception()
    return WorkerEnded(f"the worker ended by itself: {error or 'it was shut down from inside'}")

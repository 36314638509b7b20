"""Makes a worker of a module, runs it when told to, and ends it so that nothing is lost: workflows first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.worker import Worker

from ..client.target import Target, find_target
from ..introspection import converters
from . import import_snapshot, nexus
from .channel import Channel
from .config import WorkerOptions
from .errors import RunError, WorkerEnded
from .factory import make_runtime, make_worker
from .failure_events import FailureReporter
from .server_check import pulse

if TYPE_CHECKING:
    from ..introspection import Module

if TYPE_CHECKING:
    from ..introspection import Module

STEP_SECONDS = 0.005


async def serve(module: Module, wanted: WorkerOptions, channel: Channel, since: float) -> None:
    """Make the worker, say so, wait for `go`, run until `stop`. The module was imported after `since`.

    Raises:
        CannotAsk: The server cannot be reached.
        IntrospectionError: A plugin raises.
        RunError: The SDK refuses what was found, or the worker ends by itself.
    """
    teller = FailureReporter(channel, module.project)
    target = find_target(wanted.connection)
    runtime = make_runtime(wanted, teller)
    client = await converters.connect_for(module, target, large_payloads=wanted.large_payloads, runtime=runtime)
    await _see_namespace(client)
    worker = make_worker(client, module, wanted, teller)
    drained = _drained(worker)
    facts = await worker_facts(client, module, wanted, target)
    channel.tell("prepared", **facts, files=import_snapshot.imported_files(), since=since)
    await channel.order()
    running = asyncio.create_task(worker.run())
    while not (worker.is_running or running.done()):
        await asyncio.sleep(STEP_SECONDS)
    channel.tell("running")
    beating = asyncio.create_task(pulse(client, wanted.connection, channel))
    told = asyncio.create_task(channel.order())
    await asyncio.wait((running, told, beating), return_when=asyncio.FIRST_COMPLETED)
    if beating.done():
        await beating
    beating.cancel()
    if running.done():
        raise _ended(running)
    stopping = asyncio.create_task(worker.shutdown())
    await asyncio.wait((running, asyncio.create_task(drained.wait())), return_when=asyncio.FIRST_COMPLETED)
    channel.tell("drained", activities=teller.running)
    await asyncio.wait((running, stopping))


def _drained(worker: Worker) -> asyncio.Event:
    """Set when the worker has given its last answer to a workflow task; its activities may go on.

    The SDK does not tell, so we look at the part of it that works on workflows.
    """
    drained = asyncio.Event()
    part = getattr(worker, "_workflow_worker", None)
    run: Callable[[], Awaitable[None]] | None = getattr(part, "run", None)
    if part is None:
        drained.set()
    elif run is not None:

        async def watched() -> None:
            try:
                await run()
            finally:
                drained.set()

        part.run = watched
    return drained


async def _see_namespace(client: Client) -> None:
    """See that the namespace is there: the SDK would say it late, and in many words."""
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
    from temporalio.service import RPCError

    from ..client.call_errors import call_failed
    from ..client.calls import CALL_TIMEOUT

    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise call_failed(client, error) from None


def _ended(running: asyncio.Task[None]) -> RunError:
    error = None if running.cancelled() else running.exception()
    return WorkerEnded(f"the worker has ended by itself: {error or 'it was shut down from inside'}")


async def worker_facts(client: Client, module: Module, wanted: WorkerOptions, target: Target) -> dict[str, Any]:
    """They are plain data. A Nexus endpoint that is wanted is made.

    Raises:
        RunError: The endpoint leads elsewhere.
        CannotAsk: The server gives no answer.
    """
    from ..instances.dev_server import DevServer

    queue = wanted.queue(module)
    if wanted.nexus_endpoint:
        await nexus.ensure(client, wanted.nexus_endpoint, queue)
    return {
        "module": module.name,
        "file": str(module.file) if module.file else None,
        "task_queue": queue,
        "address": target.address,
        "namespace": target.namespace,
        "instance": target.name,
        "ui_url": DevServer.attach(target.name).ui_url if target.name else None,
        "workflows": [each.label for each in module.workflows],
        "activities": [each.label for each in module.activities],
        "nexus_services": [each.label for each in module.nexus_services],
        "nexus_endpoints": await nexus.leading_to(client, queue) if module.nexus_services else [],
        "plugins": [each.name() for each in module.plugins],
        "version": await _version(client, module, wanted),
        "notes": list(module.notes),
    }


async def _version(client: Client, module: Module, wanted: WorkerOptions) -> dict[str, Any] | None:
    """The Worker Deployment Version, and whether new workflows come to it."""
    from ..deployments import describe_deployment
    from ..errors import DevServerError

    if wanted.build is None:
        return None
    name = wanted.deployment_of(module)
    try:
        routing = (await describe_deployment(client, name)).routing
        current = wanted.build in (routing.current, routing.ramping)
    except DevServerError:  # as before its first worker
        current = False
    return {"deployment": name, "build": wanted.build, "behavior": wanted.behavior, "current": current}

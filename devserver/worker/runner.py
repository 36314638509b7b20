"""Makes a worker of a module, runs it when told to, and ends it so that nothing is lost: workflows first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from temporalio.client import Client
from temporalio.worker import Worker

from ..client.target import find_target
from ..introspection import converters
from . import facts as found
from . import imported_files
from .channel import Channel
from .config import Wanted
from .errors import RunError, WorkerEnded
from .factory import make_runtime, make_worker
from .failure_events import Teller
from .heartbeat import pulse

if TYPE_CHECKING:
    from ..introspection import Module

STEP_SECONDS = 0.005


async def serve(module: Module, wanted: Wanted, channel: Channel, since: float) -> None:
    """Make the worker, say so, wait for `go`, run until `stop`. The module was imported after `since`.

    Raises:
        CannotAsk: The server cannot be reached.
        ReflectionError: A plugin raises.
        RunError: The SDK refuses what was found, or the worker ends by itself.
    """
    teller = Teller(channel, module.project)
    target = find_target(wanted.connection)
    runtime = make_runtime(wanted, teller)
    client = await converters.connect_for(module, target, large_payloads=wanted.large_payloads, runtime=runtime)
    await _see_namespace(client)
    worker = make_worker(client, module, wanted, teller)
    drained = _drained(worker)
    facts = await found.facts(client, module, wanted, target)
    channel.tell("prepared", **facts, files=imported_files.files(), since=since)
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

    from ..client.calls import CALL_LIMIT, cannot_ask

    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=CALL_LIMIT)
    except RPCError as error:
        raise cannot_ask(client, error) from None


def _ended(running: asyncio.Task[None]) -> RunError:
    error = None if running.cancelled() else running.exception()
    return WorkerEnded(f"the worker has ended by itself: {error or 'it was shut down from inside'}")

"""Makes a worker of a module, runs it when told to, and ends it so that nothing is lost: workflows first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from temporalio.client import Client
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.worker import Worker

from ..connection import Target, connect, find_target
from . import loaded, nexus
from .channel import Channel
from .errors import RunError, WorkerEnded, WorkerRefused
from .pulse import pulse
from .telling import ActivityTeller, Teller, TroubleLog, runners
from .wanted import Wanted

if TYPE_CHECKING:
    from ..reflection import Module

THREADS = 100  # as many as the SDK runs activities at once where nothing is said
STEP_SECONDS = 0.005
# How long tasks wait for a worker that died: the SDK's ten seconds are long while one edits code.
STICKY = timedelta(seconds=2)


async def serve(module: Module, wanted: Wanted, channel: Channel, since: float) -> None:
    """Make the worker, say so, wait for `go`, run until `stop`. The module was imported after `since`.

    Raises:
        CannotAsk: The server cannot be reached.
        RunError: The SDK refuses what was found, or the worker ends by itself.
    """
    teller = Teller(channel, module.project)
    target = find_target(wanted.connection)
    client = await connect(target, **_client_options(module, wanted, teller))
    await _see_namespace(client)
    worker = _made(client, module, wanted, teller)
    drained = _drained(worker)
    endpoints = await _endpoints(client, module, wanted, worker.task_queue)
    channel.tell(
        "prepared", **_found(module, wanted, target), nexus_endpoints=endpoints, files=loaded.files(), since=since
    )
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


def _made(client: Client, module: Module, wanted: Wanted, teller: Teller) -> Worker:
    logging.getLogger("temporalio.worker").addHandler(TroubleLog(teller))
    options = _worker_options(module, wanted)
    try:
        return Worker(
            client,
            workflows=[each.cls for each in module.workflows],
            activities=[each.function for each in module.activities],
            nexus_service_handlers=[each.handler for each in module.nexus_services],
            interceptors=[ActivityTeller(teller)],
            graceful_shutdown_timeout=timedelta(seconds=wanted.grace),
            **runners(teller),  # type: ignore[arg-type]
            **options,
        )
    except Exception as error:
        raise _refused(error, module) from error


def _worker_options(module: Module, wanted: Wanted) -> dict[str, Any]:
    threads = ThreadPoolExecutor(wanted.max_activities or THREADS, thread_name_prefix="activity")
    options: dict[str, Any] = {
        "task_queue": wanted.task_queue or module.task_queue,
        "activity_executor": None if all(each.is_async for each in module.activities) else threads,
        "nexus_task_executor": threads if module.nexus_services else None,
        "max_concurrent_activities": wanted.max_activities,
        "max_concurrent_workflow_tasks": wanted.max_workflow_tasks,
        "identity": wanted.identity,
        "sticky_queue_schedule_to_start_timeout": STICKY,
    }
    if wanted.build is not None:
        options["deployment_config"] = _deployment(wanted, wanted.deployment or options["task_queue"])
    return options


def _deployment(wanted: Wanted, name: str) -> Any:
    from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
    from temporalio.worker import WorkerDeploymentConfig

    behaviors = {"pinned": VersioningBehavior.PINNED, "auto-upgrade": VersioningBehavior.AUTO_UPGRADE}
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=name, build_id=str(wanted.build)),
        use_worker_versioning=True,
        default_versioning_behavior=behaviors[wanted.behavior],
    )


def _client_options(module: Module, wanted: Wanted, teller: Teller) -> dict[str, Any]:
    metrics = PrometheusConfig(bind_address=f"127.0.0.1:{wanted.metrics_port}") if wanted.metrics_port else None
    # Warnings of the SDK's core are of calls that it tries again, and of what the teller tells better.
    core = logging.getLogger("temporalio.core")
    core.propagate = False
    core.addHandler(TroubleLog(teller))
    forward = LogForwardingConfig(core, prepend_target_on_message=False, append_log_fields_to_message=False)
    log = LoggingConfig(TelemetryFilter(core_level="ERROR", other_level="ERROR"), forwarding=forward)
    runtime = Runtime(telemetry=TelemetryConfig(logging=log, metrics=metrics))
    Runtime.set_default(runtime, error_if_already_set=False)
    options: dict[str, Any] = {"runtime": runtime}
    if module.data_converter is not None:
        options["data_converter"] = module.data_converter
    if wanted.large_payloads and (module.data_converter is None or module.data_converter.external_storage is None):
        from ..payloads import LargePayloads

        options["plugins"] = [LargePayloads()]
    return options


async def _endpoints(client: Client, module: Module, wanted: Wanted, queue: str) -> list[str]:
    if wanted.nexus_endpoint:
        await nexus.ensure(client, wanted.nexus_endpoint, queue)
    return await nexus.leading_to(client, queue) if module.nexus_services else []


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

    from ..history.calls import CALL_LIMIT, cannot_ask

    request = DescribeNamespaceRequest(namespace=client.namespace)
    try:
        await client.workflow_service.describe_namespace(request, timeout=CALL_LIMIT)
    except RPCError as error:
        raise cannot_ask(client, error) from None


def _found(module: Module, wanted: Wanted, target: Target) -> dict[str, Any]:
    """What the worker works on, for people and machines."""
    from ..server import DevServer

    queue = wanted.task_queue or module.task_queue
    version = None if wanted.build is None else {
        "deployment": wanted.deployment or queue, "build": wanted.build, "behavior": wanted.behavior
    }  # fmt: skip
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
        "version": version,
        "notes": list(module.notes),
    }


def _refused(error: Exception, module: Module) -> WorkerRefused:
    from ..reflection.loading import users_traceback

    causes = []
    cause: BaseException | None = error.__cause__
    while cause is not None:
        causes.append(f"{type(cause).__name__}: {cause}")
        error_at = cause
        cause = cause.__cause__
    hint = None
    details = causes
    if "Failed validating workflow" in str(error):
        details = [*causes[:-1], *users_traceback(error_at, module.project)] if causes else []
        hint = (
            "workflows run in a sandbox that imports their module again: what has side effects or is not deterministic "
            "is imported with `with workflow.unsafe.imports_passed_through():`"
        )
    return WorkerRefused(f"the worker cannot run {module.name}: {error}", details=details, hint=hint)


def _ended(running: asyncio.Task[None]) -> RunError:
    error = None if running.cancelled() else running.exception()
    return WorkerEnded(f"the worker has ended by itself: {error or 'it was shut down from inside'}")

"""Reads which stored payloads a server refers to: in everything it stores, in every namespace.

The server itself copies references: into a parent's history, the next run, a reset run, a scheduled run. So only what
it stores shows what is in use; the workflow for which a payload was stored first does not. Copies of the server's
database count too, because a snapshot can be restored.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeActivityExecutionRequest,
    GetClusterInfoRequest,
    ListActivityExecutionsRequest,
    ListNamespacesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import PAGE_SIZE, REFUSALS, ServiceCalls
from ..config.option_values import SYSTEM_NAMESPACE
from ..schedules.calls import ScheduleCalls
from ..schedules.errors import ScheduleUnknown
from ..system.paths import Paths
from .claims import ANY_SERVER
from .databases import databases_of_server, marked_values
from .model import ENCODED, PayloadUsage

MAX_CONCURRENT = 8
MARKS = (ENCODED, b'"sha256":"')
OnRunsRead = Callable[[int], None]


class _UsageCalls(ServiceCalls):
    """Calls of which a server may not support some."""

    refusals = (*REFUSALS, RPCStatusCode.UNIMPLEMENTED)


async def read_usage(
    client: Client, *, paths: Paths | None = None, on_runs_read: OnRunsRead = lambda _: None
) -> PayloadUsage:
    """The references of a server, and of the copies of its database: snapshots, backups, other instances.

    Args:
        paths: The folders with the copies; None is this user's.
        on_runs_read: Called with the number of runs read so far.

    Raises:
        CannotAsk: The server does not answer, or not every call.
        DatabaseError: A copy cannot be read.
    """
    calls = _UsageCalls(client)
    try:
        info = await calls.call(client.workflow_service.get_cluster_info, GetClusterInfoRequest())
        namespaces = await _namespaces(calls)
    except RPCError as error:
        raise call_failed(client, error) from None
    usage = PayloadUsage(info.cluster_id or ANY_SERVER)
    for namespace in namespaces:
        in_namespace = _UsageCalls(Client(client.service_client, namespace=namespace), max_concurrent=MAX_CONCURRENT)
        await _read_runs(in_namespace, usage, on_runs_read)
        await _read_schedules(in_namespace.client, usage)
        await _read_activities(in_namespace, usage)
    address = client.service_client.config.target_host
    await asyncio.to_thread(_read_copies, Paths.default() if paths is None else paths, address, usage)
    return usage


async def _namespaces(calls: _UsageCalls) -> list[str]:
    names: list[str] = []
    request = ListNamespacesRequest(page_size=PAGE_SIZE)
    async for page in calls.pages(calls.client.workflow_service.list_namespaces, request):
        names += [namespace.namespace_info.name for namespace in page.namespaces]
    return [name for name in names if name != SYSTEM_NAMESPACE]


def _read_copies(paths: Paths, address: str, usage: PayloadUsage) -> None:
    """Read the copies of the server's database; not the database of the server at `address`, which was asked."""
    for database in databases_of_server(paths, usage.server):
        if database.address is None or database.address != address.replace("localhost:", "127.0.0.1:"):
            for value in marked_values(database, MARKS):
                usage.add(value, None, database.label)
            usage.databases += 1


async def _read_runs(calls: _UsageCalls, usage: PayloadUsage, on_runs_read: OnRunsRead) -> None:
    batch: list[WorkflowExecutionInfo] = []
    async for run in calls.list_workflows():
        batch.append(run)
        if len(batch) == MAX_CONCURRENT:
            await _read_batch(calls, batch, usage, on_runs_read)
            batch = []
    await _read_batch(calls, batch, usage, on_runs_read)


async def _read_batch(
    calls: _UsageCalls, batch: Sequence[WorkflowExecutionInfo], usage: PayloadUsage, on_runs_read: OnRunsRead
) -> None:
    await asyncio.gather(*(_read_run(calls, run, usage) for run in batch))
    usage.runs += len(batch)
    on_runs_read(usage.runs)


async def _read_run(calls: _UsageCalls, run: WorkflowExecutionInfo, usage: PayloadUsage) -> None:
    execution = WorkflowExecution(workflow_id=run.execution.workflow_id, run_id=run.execution.run_id)
    namespace, owner = calls.client.namespace, f"workflow {execution.workflow_id}"
    token = b""
    while True:
        page = await calls.history_page(execution, token=token)
        if page is None:  # it has just been removed
            return
        usage.add(page.history, namespace, owner)
        token = page.next_page_token
        if not token:
            break
    if not run.HasField("close_time"):  # the last heartbeat and failure of an activity are not in the history
        description = await calls.describe_workflow(execution.workflow_id, execution.run_id)
        if description is not None:
            usage.add(description, namespace, owner)


async def _read_schedules(client: Client, usage: PayloadUsage) -> None:
    calls = ScheduleCalls(client)
    async for entry in calls.list(""):
        with contextlib.suppress(ScheduleUnknown):  # it has just been deleted
            description = await calls.describe(entry.schedule_id)
            usage.add(description, client.namespace, f"schedule {entry.schedule_id}")


async def _read_activities(calls: _UsageCalls, usage: PayloadUsage) -> None:
    """Read activities without a workflow, if the server supports them."""
    service, namespace = calls.client.workflow_service, calls.client.namespace
    request = ListActivityExecutionsRequest(namespace=namespace, page_size=PAGE_SIZE)
    try:
        async for page in calls.pages(service.list_activity_executions, request):
            for activity in page.executions:
                describe = DescribeActivityExecutionRequest(
                    namespace=namespace,
                    activity_id=activity.activity_id,
                    run_id=activity.run_id,
                    include_input=True,
                    include_outcome=True,
                )
                description = await calls.call_if_found(service.describe_activity_execution, describe)
                if description is not None:
                    usage.add(description, namespace, f"activity {activity.activity_id}")
    except RPCError as error:
        if error.status != RPCStatusCode.UNIMPLEMENTED:
            raise call_failed(calls.client, error) from None

"""Which stored payloads a server still refers to: it is asked for all that it keeps, in every namespace.

References are copied by the server (into a parent's history, into the next run, by a reset, from a schedule), so only
what it keeps tells, all of it: when a payload was stored first is not known. Copies of its database that this user has
count as well, as a snapshot may be restored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    DescribeActivityExecutionRequest,
    DescribeScheduleRequest,
    GetClusterInfoRequest,
    ListActivityExecutionsRequest,
    ListNamespacesRequest,
    ListSchedulesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import ServiceCalls
from ..system.paths import Paths
from .claims import ANY_SERVER
from .databases import ServerDatabase, databases_of_server, marked_values
from .model import ENCODED, PayloadUsage

EVERY = 1_000_000_000
PAGE = 200
AT_ONCE = 8
MARKS = (ENCODED, b'"sha256":"')
OnRunsRead = Callable[[int], None]


async def read_usage(client: Client, *, paths: Paths | None = None, seen: OnRunsRead = lambda _: None) -> PayloadUsage:
    """What the server refers to, and what copies of its database do: snapshots, backups, other instances.

    Args:
        paths: Where those copies are looked for; None is where this user's are.
        seen: Is told how many runs were read.

    Raises:
        CannotAsk: The server does not answer, or not for everything.
        DatabaseError: A copy cannot be read.
    """
    usage = PayloadUsage(await read_server_id(client))
    for namespace in await _namespaces(client):
        inside = Client(client.service_client, namespace=namespace)
        await _read_runs(ServiceCalls(inside, max_concurrent=AT_ONCE), namespace, usage, seen)
        await _read_schedules(inside, usage)
        await _read_activities(inside, usage)
    address = client.service_client.config.target_host
    await asyncio.to_thread(_read_copies, Paths.default() if paths is None else paths, address, usage)
    return usage


async def read_server_id(client: Client) -> str:
    """The id of the server's cluster, under which its payloads are kept.

    Raises:
        CannotAsk: The server does not answer.
    """
    try:
        answer = await client.workflow_service.get_cluster_info(GetClusterInfoRequest())
    except RPCError as error:
        raise call_failed(client, error) from None
    return answer.cluster_id or ANY_SERVER


async def _namespaces(client: Client) -> list[str]:
    request, names = ListNamespacesRequest(page_size=PAGE), []
    async for page in _pages(client, client.workflow_service.list_namespaces, request):
        names += [each.namespace_info.name for each in page.namespaces]
    return [name for name in names if name != "temporal-system"]


def _read_copies(paths: Paths, address: str, usage: PayloadUsage) -> None:
    """Of the server that answers at `address` its own database is left out: it was asked."""
    for database in databases_of_server(paths, usage.server):
        if database.address is None or database.address != address.replace("localhost:", "127.0.0.1:"):
            _read_copy(database, usage)


def _read_copy(database: ServerDatabase, usage: PayloadUsage) -> None:
    for value in marked_values(database, MARKS):
        usage.add(value, None, database.label)
    usage.databases += 1


async def _read_runs(calls: ServiceCalls, namespace: str, usage: PayloadUsage, seen: OnRunsRead) -> None:
    batch: list[WorkflowExecutionInfo] = []
    async for run in calls.list_workflows("", EVERY):
        batch.append(run)
        if len(batch) == AT_ONCE:
            await _read_batch(calls, namespace, batch, usage, seen)
            batch = []
    await _read_batch(calls, namespace, batch, usage, seen)


async def _read_batch(
    calls: ServiceCalls, namespace: str, batch: Sequence[WorkflowExecutionInfo], usage: PayloadUsage, seen: OnRunsRead
) -> None:
    await asyncio.gather(*(_read_run(calls, namespace, run, usage) for run in batch))
    usage.runs += len(batch)
    seen(usage.runs)


async def _read_run(calls: ServiceCalls, namespace: str, run: WorkflowExecutionInfo, usage: PayloadUsage) -> None:
    execution = WorkflowExecution(workflow_id=run.execution.workflow_id, run_id=run.execution.run_id)
    owner = f"workflow {execution.workflow_id}"
    token = b""
    while True:
        page = await calls.history_page(execution, token=token)
        if page is None:  # removed meanwhile
            return
        usage.add(page.history, namespace, owner)
        token = page.next_page_token
        if not token:
            break
    if not run.HasField("close_time"):  # what an activity said last is not in the history yet
        described = await calls.describe_workflow(execution.workflow_id, execution.run_id)
        if described is not None:
            usage.add(described, namespace, owner)


async def _read_schedules(client: Client, usage: PayloadUsage) -> None:
    service = client.workflow_service
    request = ListSchedulesRequest(namespace=client.namespace, maximum_page_size=PAGE)
    async for page in _pages(client, service.list_schedules, request):
        for each in page.schedules:
            wanted = DescribeScheduleRequest(namespace=client.namespace, schedule_id=each.schedule_id)
            found = await _described(client, service.describe_schedule, wanted)
            if found is not None:
                usage.add(found, client.namespace, f"schedule {each.schedule_id}")


async def _read_activities(client: Client, usage: PayloadUsage) -> None:
    """Activities without a workflow, where the server has them."""
    service = client.workflow_service
    request = ListActivityExecutionsRequest(namespace=client.namespace, page_size=PAGE)
    async for page in _pages(client, service.list_activity_executions, request):
        for each in page.executions:
            wanted = DescribeActivityExecutionRequest(
                namespace=client.namespace,
                activity_id=each.activity_id,
                run_id=each.run_id,
                include_input=True,
                include_outcome=True,
            )
            found = await _described(client, service.describe_activity_execution, wanted)
            if found is not None:
                usage.add(found, client.namespace, f"activity {each.activity_id}")


async def _pages(client: Client, call: Callable[[Any], Any], request: Any) -> AsyncIterator[Any]:
    """The answers to a list's request; none where the server does not know such a list."""
    while True:
        try:
            answer = await call(request)
        except RPCError as error:
            if error.status == RPCStatusCode.UNIMPLEMENTED:
                return
            raise call_failed(client, error) from None
        yield answer
        request.next_page_token = answer.next_page_token
        if not answer.next_page_token:
            return


async def _described(client: Client, call: Callable[[Any], Any], request: Any) -> Message | None:
    """A description; None for what is gone meanwhile."""
    try:
        found: Message = await call(request)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return None
        raise call_failed(client, error) from None
    return found

"""Nexus endpoints: the names by which callers reach the services of a worker's task queue."""

from __future__ import annotations

from temporalio.api.nexus.v1 import Endpoint, EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest, ListNexusEndpointsRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import CALL_TIMEOUT
from .errors import RunError

PAGE_SIZE = 200


async def endpoints_of(client: Client, queue: str) -> list[str]:
    """The names of the endpoints that point to this task queue; empty if the server does not list them."""
    try:
        answer = await client.operator_service.list_nexus_endpoints(
            ListNexusEndpointsRequest(page_size=PAGE_SIZE), timeout=CALL_TIMEOUT
        )
    except RPCError:
        return []
    return [endpoint.spec.name for endpoint in answer.endpoints if _points_to(endpoint, client.namespace, queue)]


async def ensure_endpoint(client: Client, name: str, queue: str) -> None:
    """Create an endpoint that points to this task queue, unless there is one.

    Raises:
        RunError: The endpoint points elsewhere, or the server refuses to create it.
        CannotAsk: The server does not answer.
    """
    existing = await _find(client, name)
    if existing is None:
        target = EndpointTarget(worker=EndpointTarget.Worker(namespace=client.namespace, task_queue=queue))
        request = CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
        try:
            await client.operator_service.create_nexus_endpoint(request, timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.ALREADY_EXISTS:  # two workers may start at the same time
                raise RunError(f"cannot create the Nexus endpoint {name}: {error.message}") from None
            existing = await _find(client, name)
    if existing is not None and not _points_to(existing, client.namespace, queue):
        worker = existing.spec.target.worker
        where = f"the task queue {worker.task_queue} of the namespace {worker.namespace}" if worker.task_queue else ""
        raise RunError(
            f"the Nexus endpoint {name} points to {where or existing.spec.target.external.url}, not to {queue}",
            hint="choose another name, or delete it: devserver temporal -- operator nexus endpoint delete --name "
            + name,
        )


async def _find(client: Client, name: str) -> Endpoint | None:
    try:
        answer = await client.operator_service.list_nexus_endpoints(
            ListNexusEndpointsRequest(name=name), timeout=CALL_TIMEOUT
        )
    except RPCError as error:
        raise call_failed(client, error) from None
    return next(iter(answer.endpoints), None)


def _points_to(endpoint: Endpoint, namespace: str, queue: str) -> bool:
    worker = endpoint.spec.target.worker
    return (worker.namespace, worker.task_queue) == (namespace, queue)

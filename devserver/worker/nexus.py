"""Nexus endpoints: the names under which callers reach the services of a worker's task queue."""

from __future__ import annotations

from temporalio.api.nexus.v1 import Endpoint, EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import CreateNexusEndpointRequest, ListNexusEndpointsRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import CALL_TIMEOUT
from .errors import RunError

PAGE = 200


async def leading_to(client: Client, queue: str) -> list[str]:
    """The endpoints that lead to this task queue; none where the server keeps them to itself."""
    try:
        answer = await client.operator_service.list_nexus_endpoints(
            ListNexusEndpointsRequest(page_size=PAGE), timeout=CALL_TIMEOUT
        )
    except RPCError:
        return []
    return [each.spec.name for each in answer.endpoints if _leads_to(each, client.namespace, queue)]


async def ensure(client: Client, name: str, queue: str) -> None:
    """Have an endpoint of that name lead to this task queue.

    Raises:
        RunError: It leads elsewhere, or the server makes none.
        CannotAsk: The server gives no answer.
    """
    there = await _named(client, name)
    if there is None:
        target = EndpointTarget(worker=EndpointTarget.Worker(namespace=client.namespace, task_queue=queue))
        request = CreateNexusEndpointRequest(spec=EndpointSpec(name=name, target=target))
        try:
            await client.operator_service.create_nexus_endpoint(request, timeout=CALL_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.ALREADY_EXISTS:  # as when two workers begin at once
                raise RunError(f"the Nexus endpoint {name} cannot be made: {error.message}") from None
            there = await _named(client, name)
    if there is not None and not _leads_to(there, client.namespace, queue):
        worker = there.spec.target.worker
        where = f"the task queue {worker.task_queue} of the namespace {worker.namespace}" if worker.task_queue else ""
        raise RunError(
            f"the Nexus endpoint {name} leads to {where or there.spec.target.external.url}, not to {queue}",
            hint="choose another name, or delete it: devserver temporal -- operator nexus endpoint delete --name "
            + name,
        )


async def _named(client: Client, name: str) -> Endpoint | None:
    try:
        answer = await client.operator_service.list_nexus_endpoints(
            ListNexusEndpointsRequest(name=name), timeout=CALL_TIMEOUT
        )
    except RPCError as error:
        raise call_failed(client, error) from None
    return next(iter(answer.endpoints), None)


def _leads_to(endpoint: Endpoint, namespace: str, queue: str) -> bool:
    worker = endpoint.spec.target.worker
    return (worker.namespace, worker.task_queue) == (namespace, queue)

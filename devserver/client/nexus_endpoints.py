"""Nexus endpoints: the names by which callers reach the services of a worker's task queue."""

from __future__ import annotations

from typing import Literal

from temporalio.api.nexus.v1 import Endpoint, EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import (
    CreateNexusEndpointRequest,
    ListNexusEndpointsRequest,
    UpdateNexusEndpointRequest,
)
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from ..errors import NexusEndpointRefused
from .call_errors import call_failed
from .calls import CALL_TIMEOUT

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
    """Create an endpoint that points to this task queue of the client's namespace, unless there is one.

    Raises:
        NexusEndpointRefused: The endpoint points elsewhere, or the server refuses to create it.
        CannotAsk: The server does not answer.
    """
    existing = await _find(client, name) or await _create(client, _spec(client, name, queue, None))
    if existing is not None and not _points_to(existing, client.namespace, queue):
        worker = existing.spec.target.worker
        where = f"the task queue {worker.task_queue} of the namespace {worker.namespace}" if worker.task_queue else ""
        raise NexusEndpointRefused(
            f"the Nexus endpoint {name} points to {where or existing.spec.target.external.url}, not to {queue}",
            hint="choose another name, or delete it: devserver temporal -- operator nexus endpoint delete --name "
            + name,
        )


async def declare_endpoint(
    client: Client, name: str, queue: str, description: str | None
) -> Literal["created", "updated", "unchanged"]:
    """Create an endpoint that points to this task queue of the client's namespace, or change it so that it does.

    Raises:
        NexusEndpointRefused: The server refuses to create or to change it.
        CannotAsk: The server does not answer.
    """
    spec = _spec(client, name, queue, description)
    existing = await _find(client, name)
    if existing is None:
        existing = await _create(client, spec)
        if existing is None:
            return "created"
    if (existing.spec.target, existing.spec.description) == (spec.target, spec.description):
        return "unchanged"
    request = UpdateNexusEndpointRequest(id=existing.id, version=existing.version, spec=spec)
    try:
        await client.operator_service.update_nexus_endpoint(request, timeout=CALL_TIMEOUT)
    except RPCError as error:
        raise NexusEndpointRefused(f"cannot change the Nexus endpoint {name}: {error.message}") from None
    return "updated"


def _spec(client: Client, name: str, queue: str, description: str | None) -> EndpointSpec:
    spec = EndpointSpec(name=name)
    spec.target.worker.CopyFrom(EndpointTarget.Worker(namespace=client.namespace, task_queue=queue))
    if description:
        spec.description.CopyFrom(DataConverter.default.payload_converter.to_payload(description))
    return spec


async def _create(client: Client, spec: EndpointSpec) -> Endpoint | None:
    """Create an endpoint; the one that another process has created in the same moment, else None.

    Raises:
        NexusEndpointRefused: The server refuses.
    """
    try:
        await client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec), timeout=CALL_TIMEOUT)
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:
            return await _find(client, spec.name)
        raise NexusEndpointRefused(f"cannot create the Nexus endpoint {spec.name}: {error.message}") from None
    return None


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

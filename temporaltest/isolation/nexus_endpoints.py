"""Nexus endpoints belong to the whole server: each test gets its own, whatever their names, and they end with it."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import platform
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from temporalio import client as sdk
from temporalio import worker
from temporalio.api.nexus.v1 import Endpoint
from temporalio.api.operatorservice.v1 import (
    DeleteNexusEndpointRequest,
    GetNexusEndpointRequest,
    ListNexusEndpointsRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode, ServiceClient

from devserver import ProcessIdentity

from ..workers.bounded_polls import ForwardedCalls

CREATE = "create_nexus_endpoint"
# Calls with a name of an endpoint, and the message and field that have it.
NAMED: Mapping[str, Callable[[Any], tuple[Any, str]]] = {
    CREATE: lambda request: (request.spec, "name"),
    "update_nexus_endpoint": lambda request: (request.spec, "name"),
    "list_nexus_endpoints": lambda request: (request, "name"),
    "start_nexus_operation_execution": lambda request: (request, "endpoint"),
}
PAGE_SIZE = 100
OWNED = re.compile(r"-test-(?P<place>[0-9a-f]{8})-(?P<pid>[0-9]+)-(?P<start>[0-9a-f]{8})-[0-9]+$")
_numbers = itertools.count(1)


class NexusEndpoints(sdk.Interceptor, worker.Interceptor):
    """The endpoints that a test creates: on the server they have longer names, which its code never sees.

    Args:
        unique: Whether other tests may use the server; on a private one endpoints keep their names, for workers in
            other processes.
    """

    def __init__(self, *, unique: bool) -> None:
        self._unique = unique
        self._names: dict[str, str] = {}
        self._created: set[str] = set()

    @property
    def replacements(self) -> Mapping[str, str]:
        """The test's name of each endpoint by the server's."""
        return {real: name for name, real in self._names.items() if real != name}

    def real_name(self, name: str) -> str:
        """The server's name of an endpoint; the name itself if the test has not created it."""
        return self._names.get(name, name)

    def service(self, inner: ServiceClient) -> ServiceClient:
        """A service client that translates names."""
        return _EndpointCalls(inner, self)

    def workflow_interceptor_class(
        self,
        input: worker.WorkflowInterceptorClassInput,  # noqa: A002 - the SDK's name
    ) -> type[worker.WorkflowInboundInterceptor]:
        """The SDK asks each interceptor for its class; this one translates the endpoints that workflows call."""
        real_name = self.real_name

        class Outbound(worker.WorkflowOutboundInterceptor):
            async def start_nexus_operation(self, input: worker.StartNexusOperationInput[Any, Any]) -> Any:  # noqa: A002
                input.endpoint = real_name(input.endpoint)
                return await super().start_nexus_operation(input)

        class Inbound(worker.WorkflowInboundInterceptor):
            def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

        return Inbound

    async def create(self, name: str, creating: Callable[[str], Awaitable[Any]], service: Client | Any) -> Any:
        """Create an endpoint under a name of this test's own.

        Raises:
            RPCError: There is one already; the message says who has it.
        """
        if self._unique and not self._names:
            await remove_orphans(service)
        real = self._names.setdefault(name, f"{name}{_suffix()}" if self._unique else name)
        try:
            answer = await creating(real)
        except RPCError as error:
            if error.status != RPCStatusCode.ALREADY_EXISTS:
                raise
            raise RPCError(await self._taken(name, real, service), error.status, error.raw_grpc_status) from error
        self._created.add(answer.endpoint.id)
        return answer

    async def _taken(self, name: str, real: str, service: Any) -> str:
        answer = await service.list_nexus_endpoints(ListNexusEndpointsRequest(name=real))
        target = answer.endpoints[0].spec.target.worker if answer.endpoints else None
        who = "this test" if answer.endpoints and answer.endpoints[0].id in self._created else "another client"
        where = f", for the task queue {target.task_queue!r} of the namespace {target.namespace!r}" if target else ""
        return (
            f"the Nexus endpoint {name!r} exists already: {who} has created it{where}; "
            "delete it first or use another name"
        )

    async def remove(self, client: Client) -> None:
        """Delete the endpoints that the test has created and not deleted."""
        for endpoint_id in self._created:
            with contextlib.suppress(RPCError):
                found = await client.operator_service.get_nexus_endpoint(GetNexusEndpointRequest(id=endpoint_id))
                await _delete(client.operator_service, found.endpoint)


class _EndpointCalls(ForwardedCalls):
    """Calls of the service with the server's names, and answers with the test's."""

    def __init__(self, inner: ServiceClient, endpoints: NexusEndpoints) -> None:
        super().__init__(inner)
        self._endpoints = endpoints

    async def _rpc_call(self, rpc: str, req: Any, resp_type: Any, **options: Any) -> Any:
        if rpc not in NAMED:
            return await self.inner._rpc_call(rpc, req, resp_type, **options)

        async def call(name: str) -> Any:
            copy = type(req)()
            copy.CopyFrom(req)
            message, field = NAMED[rpc](copy)
            setattr(message, field, name)
            return await self.inner._rpc_call(rpc, copy, resp_type, **options)

        message, field = NAMED[rpc](req)
        name = getattr(message, field)
        try:
            if rpc == CREATE:
                answer = await self._endpoints.create(name, call, self.inner.operator_service)
            else:
                answer = await call(self._endpoints.real_name(name))
        except RPCError as error:
            raise self._translated(error) from None
        for endpoint in _endpoints_in(answer):
            endpoint.spec.name = self._endpoints.replacements.get(endpoint.spec.name, endpoint.spec.name)
        return answer

    def _translated(self, error: RPCError) -> RPCError:
        text = error.message
        for real, name in self._endpoints.replacements.items():
            text = text.replace(real, name)
        return RPCError(text, error.status, error.raw_grpc_status)


def _endpoints_in(answer: Any) -> Iterator[Endpoint]:
    yield from getattr(answer, "endpoints", ())
    if isinstance(getattr(answer, "endpoint", None), Endpoint):
        yield answer.endpoint


async def remove_orphans(service: Any) -> None:
    """Delete the endpoints of tests whose process has died, which a lingering server still has."""
    request = ListNexusEndpointsRequest(page_size=PAGE_SIZE)
    with contextlib.suppress(RPCError):
        while True:
            answer = await service.list_nexus_endpoints(request)
            for endpoint in answer.endpoints:
                if _is_orphan(endpoint.spec.name):
                    await _delete(service, endpoint)
            if not answer.next_page_token:
                return
            request.next_page_token = answer.next_page_token


async def _delete(service: Any, endpoint: Endpoint) -> None:
    with contextlib.suppress(RPCError):
        await service.delete_nexus_endpoint(DeleteNexusEndpointRequest(id=endpoint.id, version=endpoint.version))


def _suffix() -> str:
    """What makes a name unique, and shows which process has created it."""
    return f"-test-{_hash(_place())}-{os.getpid()}-{_hash(ProcessIdentity.own().started)}-{next(_numbers)}"


def _is_orphan(name: str) -> bool:
    owner = OWNED.search(name)
    if owner is None or owner["place"] != _hash(_place()):
        return False
    process = ProcessIdentity.of(int(owner["pid"]))
    return process is None or _hash(process.started) != owner["start"]


def _place() -> str:
    """Where a pid means something: this machine, its boot and its PID namespace."""
    return f"{platform.node()} {ProcessIdentity.own().started.rpartition(':')[0]}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]

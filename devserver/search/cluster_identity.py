"""Identifies a server whatever its address, so that the index of one server is never used for another."""

from __future__ import annotations

import asyncio

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetClusterInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import REFUSALS, ServiceCalls


class _IdentityCalls(ServiceCalls):
    refusals = (*REFUSALS, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)

    async def cluster(self) -> str:
        """The cluster's id; empty without permission to read it."""
        service = self.client.workflow_service
        try:
            answer = await self.call(service.get_cluster_info, GetClusterInfoRequest())
        except RPCError:
            return ""
        return answer.cluster_id

    async def namespace(self) -> str:
        """The namespace's id; without permission to read it, its address and name."""
        request = DescribeNamespaceRequest(namespace=self.client.namespace)
        service = self.client.workflow_service
        try:
            answer = await self.call(service.describe_namespace, request)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                raise call_failed(self.client, error) from None
            return f"{self.client.service_client.config.target_host}/{self.client.namespace}"
        return answer.namespace_info.id


async def identity(client: Client) -> tuple[str, str]:
    """The ids of the client's cluster and namespace. A server that was reset has new ones.

    Raises:
        CannotAsk: The server does not answer, or there is no such namespace.
    """
    asking = _IdentityCalls(client)
    cluster, namespace = await asyncio.gather(asking.cluster(), asking.namespace())
    return cluster, namespace

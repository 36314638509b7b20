"""Identifies a server whatever its address, so that the index of one server is never used for another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetClusterInfoRequest

from ..client.call_errors import call_failed
from ..client.calls import REFUSALS, ServiceCalls
from ..client.rpc_statuses import NOT_FOUND, PERMISSION_DENIED, UNIMPLEMENTED, rpc_error

if TYPE_CHECKING:
    from temporalio.client import Client


class _IdentityCalls(ServiceCalls):
    refusals = (*REFUSALS, PERMISSION_DENIED, UNIMPLEMENTED)

    async def cluster(self) -> str:
        """The cluster's id; empty without permission to read it."""
        service = self.client.workflow_service
        try:
            answer = await self.call(service.get_cluster_info, GetClusterInfoRequest())
        except rpc_error():
            return ""
        return answer.cluster_id

    async def namespace(self) -> str:
        """The namespace's id; without permission to read it, its address and name."""
        request = DescribeNamespaceRequest(namespace=self.client.namespace)
        service = self.client.workflow_service
        try:
            answer = await self.call(service.describe_namespace, request)
        except rpc_error() as error:
            if error.status == NOT_FOUND:
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

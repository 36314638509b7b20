"""Lists of the workflows of one test: a client interceptor narrows them to one query, also in a shared namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator

from temporalio import client as sdk
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.client import Client

from devserver.client import ServiceCalls, both


class ListFilter(sdk.Interceptor):
    """Narrows what the client lists to the workflows that match `query`."""

    def __init__(self, query: str) -> None:
        self.query = query

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self)


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, list_filter: ListFilter) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._filter = list_filter

    def list_workflows(self, input: sdk.ListWorkflowsInput) -> sdk.WorkflowExecutionAsyncIterator:  # noqa: A002
        input.query = both(self._filter.query, input.query or "")
        return super().list_workflows(input)


def narrowed(client: Client) -> str:
    """The query that narrows the client's lists; '' if the namespace belongs to one test."""
    interceptors = client.config()["interceptors"]
    return next((interceptor.query for interceptor in interceptors if isinstance(interceptor, ListFilter)), "")


async def list_workflows(
    client: Client, query: str = "", limit: int | None = None
) -> AsyncIterator[WorkflowExecutionInfo]:
    """The workflows that match `query`, among those that the client lists; paused ones too."""
    async for info in ServiceCalls(client).list_workflows(both(narrowed(client), query), limit):
        yield info

"""Lists of workflows as the server gives them, and a client interceptor that narrows them to one query.

The SDK's own list fails on a paused workflow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from temporalio import client as sdk
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

PAGE = 200


class ListFilter(sdk.Interceptor):
    """Narrows what the client lists to the workflows that match `query`."""

    def __init__(self, query: str) -> None:
        self.query = query

    def intercept_client(self, next: sdk.OutboundInterceptor) -> sdk.OutboundInterceptor:  # noqa: A002 - the SDK's name
        """The SDK asks each interceptor for its link of the chain."""
        return _Outbound(next, self.query)


class _Outbound(sdk.OutboundInterceptor):
    def __init__(self, next: sdk.OutboundInterceptor, query: str) -> None:  # noqa: A002 - the SDK's name
        super().__init__(next)
        self._query = query

    def list_workflows(self, input: sdk.ListWorkflowsInput) -> sdk.WorkflowExecutionAsyncIterator:  # noqa: A002
        input.query = _both(self._query, input.query or "")
        return super().list_workflows(input)


async def list_workflows(client: Client, query: str = "", *, page: int = PAGE) -> AsyncIterator[WorkflowExecutionInfo]:
    """The workflows that match `query`, among those that the client lists."""
    interceptors = client.config()["interceptors"]
    narrow = next((interceptor.query for interceptor in interceptors if isinstance(interceptor, ListFilter)), "")
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, query=_both(narrow, query), page_size=page)
    while True:
        answer = await client.workflow_service.list_workflow_executions(request)
        for execution in answer.executions:
            yield execution
        if not answer.next_page_token:
            return
        request.next_page_token = answer.next_page_token


def _both(first: str, second: str) -> str:
    return f"{first} AND ({second})" if first and second else first or second


def status_name(status: int) -> str:
    """A status in plain words. A server that is newer than the SDK may send a status that has no name here."""
    if status not in WorkflowExecutionStatus.values():
        return f"status {status}"
    name = WorkflowExecutionStatus.Name(status)  # type: ignore[arg-type] # looked up right above
    return name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower().replace("_", " ")

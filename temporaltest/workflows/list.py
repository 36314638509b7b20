"""Lists of workflows as the server gives them: the SDK's own fails on a workflow that is paused."""

from __future__ import annotations

from collections.abc import AsyncIterator

from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import ListWorkflowExecutionsRequest
from temporalio.client import Client

from .tenancy import narrowing

PAGE = 200


async def listed(client: Client, query: str = "", *, page: int = PAGE) -> AsyncIterator[WorkflowExecutionInfo]:
    """The workflows that fit a query, among those that the client's lists show."""
    narrow = narrowing(client)
    both = f"{narrow} AND ({query})" if narrow and query else narrow or query
    request = ListWorkflowExecutionsRequest(namespace=client.namespace, query=both, page_size=page)
    while True:
        answer = await client.workflow_service.list_workflow_executions(request)
        for each in answer.executions:
            yield each
        if not answer.next_page_token:
            return
        request.next_page_token = answer.next_page_token


def status_name(status: int) -> str:
    """A status in plain words; a server that is newer than this SDK has statuses that have no name here."""
    if status not in WorkflowExecutionStatus.values():
        return f"status {status}"
    name = WorkflowExecutionStatus.Name(status)  # type: ignore[arg-type] # looked up right above
    return name.removeprefix("WORKFLOW_EXECUTION_STATUS_").lower().replace("_", " ")

"""Which build a workflow is on, once what it has to do now is done."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle

Handle = WorkflowHandle[Any, Any]

AT_ONCE = 20
POLL_SECONDS = 0.02


async def build_of(client: Client, handle: Handle) -> str | None:
    """The build whose worker did the workflow's last task; None for a worker without a version."""
    execution = WorkflowExecution(workflow_id=handle.id, run_id=handle.run_id or "")
    request = DescribeWorkflowExecutionRequest(namespace=client.namespace, execution=execution)
    while True:
        found = await client.workflow_service.describe_workflow_execution(request)
        if not found.HasField("pending_workflow_task"):
            return found.workflow_execution_info.versioning_info.deployment_version.build_id or None
        await asyncio.sleep(POLL_SECONDS)


async def builds_of(client: Client, handles: Iterable[Handle]) -> Counter[str | None]:
    """How many of the workflows are on each build."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(handle: Handle) -> str | None:
        async with turns:
            return await build_of(client, handle)

    return Counter(await asyncio.gather(*map(one, handles)))


async def end_of(looks: AsyncIterator[object]) -> None:
    """Look until there is nothing more to see."""
    async for _ in looks:
        pass

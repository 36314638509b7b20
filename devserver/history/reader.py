"""Finds the runs of workflows and reads their histories, one run at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryResponse

from ..client.calls import ServiceCalls
from .model import Step, WorkflowRun
from .pending import merge
from .relations import Execution
from .run_builder import RunBuilder
from .run_chain import RunChain, RunSummary, find_chain, workflow_missing

if TYPE_CHECKING:
    from temporalio.client import Client
    from temporalio.converter import DataConverter

PAGE_BYTES = 2_000_000
MAX_EVENTS = 256  # the server (1.32) logs a warning for each larger page


class HistoryReader:
    """Reads workflows of one namespace, and stores nothing.

    Every method raises `CannotAsk` if the server does not answer.
    """

    # Why a child's or a run's history is not there, as traces say it.
    missing_child = "its history is gone"
    missing_run = "its history was deleted by retention"

    def __init__(self, client: Client) -> None:
        self.calls: ServiceCalls = ServiceCalls(client)

    @property
    def namespace(self) -> str:
        """The client's namespace."""
        return self.calls.client.namespace

    @property
    def converter(self) -> DataConverter:
        """The client's data converter, for `preview` and `failure_text`."""
        return self.calls.client.data_converter

    async def chain(self, workflow_id: str, run_id: str = "") -> RunChain:
        """All runs of a workflow: of the current execution of this id, or of the one that has this run.

        Raises:
            CannotAsk: There is no such workflow or run.
        """
        execution = Execution(workflow_id, run_id)
        chain = await find_chain(self.calls, execution, others=True)
        if chain is None:
            raise workflow_missing(self.calls, execution)
        return chain

    async def child(self, step: Step) -> RunChain | None:
        """The runs of the workflow that a step started, as a child or by a Nexus operation.

        None if there is none, if it is in another namespace, or if its history was deleted.
        """
        if not step.has_tree or step.target is None or step.target.namespace not in ("", self.namespace):
            return None
        return await find_chain(self.calls, step.target)

    async def run(self, workflow_id: str, link: RunSummary) -> WorkflowRun:
        """A run with all its steps; for an open one also what its history does not have yet.

        Memory is bounded by the server's limit of events in a history (51,200 by default): a step takes about 1 kB,
        plus its payloads, of at most 4 kB each, and failures.
        """
        builder = RunBuilder(workflow_id, link.run_id, self.namespace)
        if link.missing:
            builder.run.missing = True
            return builder.run
        async for page in self.pages(workflow_id, link.run_id, _page_events(link)):
            for event in page.history.events:
                builder.add(event)
        await self.refresh(builder)
        builder.run.missing = not builder.run.events
        return builder.run

    async def refresh(self, builder: RunBuilder) -> list[Step]:
        """Add to a run what only its description has; the steps that changed."""
        described = await self.calls.describe_workflow(builder.run.workflow_id, builder.run.run_id)
        return merge(builder, described) if described is not None else []

    async def pages(
        self, workflow_id: str, run_id: str, max_events: int = MAX_EVENTS
    ) -> AsyncIterator[GetWorkflowExecutionHistoryResponse]:
        """A run's history page by page, none if there is no such run. The next page is fetched while one is read."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)

        def fetch(token: bytes) -> asyncio.Future[GetWorkflowExecutionHistoryResponse | None]:
            return asyncio.ensure_future(self.calls.history_page(execution, token=token, max_events=max_events))

        ahead = fetch(b"")
        try:
            while (page := await ahead) is not None:
                token = page.next_page_token
                if token:
                    ahead = asyncio.ensure_future(
                        self.calls.history_page(execution, token=token, max_events=max_events)
                    )
                    await asyncio.sleep(0)  # the caller may not await anything while it reads: send the call now
                yield page
                if not token:
                    return
        finally:
            ahead.cancel()


def _page_events(link: RunSummary) -> int:
    """The number of events for pages of about 2 MB: histories with large payloads come in small pages."""
    return max(1, min(MAX_EVENTS, PAGE_BYTES * link.events // max(1, link.size)))

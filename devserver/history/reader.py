"""The door to traces: finds a workflow's runs and reads them, one at a time, as far as somebody asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import GetWorkflowExecutionHistoryResponse
from temporalio.client import Client
from temporalio.converter import DataConverter

from ..client.calls import ServiceCalls
from .model import Execution, Step, WorkflowRun
from .pending import merge
from .run_builder import RunBuilder
from .run_chain import RunChain, RunSummary, find_chain, workflow_missing

PAGE_BYTES = 2_000_000
MOST_EVENTS = 500  # from there on the server warns in its log


class HistoryReader:
    """Reads workflows of one namespace. Nothing is kept: what was read is the caller's.

    Every method raises `CannotAsk` where the server gives no answer.
    """

    def __init__(self, client: Client) -> None:
        self.calls = ServiceCalls(client)

    @property
    def namespace(self) -> str:
        """The client's."""
        return self.calls.client.namespace

    @property
    def converter(self) -> DataConverter:
        """The client's, for `preview` and `failure_text`."""
        return self.calls.client.data_converter

    async def chain(self, workflow_id: str, run_id: str = "") -> RunChain:
        """All runs of the execution that is the current one of this id, or that has this run.

        Raises:
            CannotAsk: There is no such workflow or run.
        """
        wanted = Execution(workflow_id, run_id)
        chain = await find_chain(self.calls, wanted, others=True)
        if chain is None:
            raise workflow_missing(self.calls, wanted)
        return chain

    async def child(self, step: Step) -> RunChain | None:
        """The runs of the workflow behind a step: a child, or what a Nexus operation has started.

        None where there is none, where it is in another namespace, and where its history was deleted.
        """
        if not step.has_tree or step.target is None or step.target.namespace not in ("", self.namespace):
            return None
        return await find_chain(self.calls, step.target)

    async def run(self, workflow_id: str, link: RunSummary) -> WorkflowRun:
        """A run with all its steps; of an open one also what its history does not have yet.

        Memory is bound by the server's limit of events in a history (51,200 by default): a step takes about 1 kB, and
        more only for payloads, of which at most 4 kB each are kept, and for failures.
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
        """Add to a run what only a description tells; the steps that this has changed."""
        described = await self.calls.describe_workflow(builder.run.workflow_id, builder.run.run_id)
        return merge(builder, described) if described is not None else []

    async def pages(
        self, workflow_id: str, run_id: str, most: int = MOST_EVENTS
    ) -> AsyncIterator[GetWorkflowExecutionHistoryResponse]:
        """A run's history page by page; the next one is fetched while one is read. No page for a run that is gone."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        ahead = asyncio.ensure_future(self.calls.history_page(execution, max_events=most))
        try:
            while (page := await ahead) is not None:
                token = page.next_page_token
                if token:
                    ahead = asyncio.ensure_future(self.calls.history_page(execution, token=token, max_events=most))
                    await asyncio.sleep(0)  # who reads the page may not wait for anything: the call must be out by then
                yield page
                if not token:
                    return
        finally:
            ahead.cancel()


def _page_events(link: RunSummary) -> int:
    """So many events that a page of usual ones has about 2 MB: histories of large payloads come in small pages."""
    return max(1, min(MOST_EVENTS, PAGE_BYTES * link.events // max(1, link.size)))

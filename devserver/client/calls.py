"""Calls of the raw workflow service: a bounded number at once, with retries, and with errors of ours.

Raw, because the SDK's own descriptions and lists raise on what it has no name for, such as a paused workflow.

Packages with calls of their own (schedules, deployments) derive from `ServiceCalls` and use `call`, with `refusals` for
the statuses that they turn into errors of their own, and `retries` for how they retry. A page of a list that is not
about workflows comes from `pages`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import HistoryEventFilterType, TaskQueueType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import (
    CountWorkflowExecutionsRequest,
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryResponse,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
)

from .call_errors import call_failed, namespace_missing, query_refused, unreachable
from .retries import BUSY_SERVER, CallRetries
from .rpc_statuses import INVALID_ARGUMENT, NOT_FOUND, rpc_error
from .timestamps import to_datetime

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")

MAX_CONCURRENT = 16
CALL_TIMEOUT = timedelta(seconds=10)
LONG_POLL_TIMEOUT = timedelta(seconds=60)
PAGE_SIZE = 200
REFUSALS = (INVALID_ARGUMENT, NOT_FOUND)
# A worker polls again at least once a minute; the server remembers one that has gone for some minutes.
POLLS_WITHIN = timedelta(seconds=90)


class ServiceCalls:
    """One client's calls, at most `max_concurrent` at a time.

    Every method raises `CannotAsk` if the server does not answer. What does not exist is None, or an empty list.
    """

    # Statuses of a call that the server understood and refused: `call` raises these as they are.
    refusals: Collection[int] = REFUSALS

    def __init__(
        self, client: Client, *, max_concurrent: int = MAX_CONCURRENT, retries: CallRetries = BUSY_SERVER
    ) -> None:
        self.client = client
        self._retries = retries
        self._slots = asyncio.Semaphore(max_concurrent)
        self._answered = False

    async def call(
        self,
        method: Callable[..., Awaitable[T]],
        request: Any,
        *,
        timeout: timedelta = CALL_TIMEOUT,
        limited: bool = True,
        retries: CallRetries | None = None,
    ) -> T:
        """Call a method of the client's services; its answer.

        Args:
            timeout: The limit of one attempt.
            limited: Whether the call counts among those made at once; a long poll should not.
            retries: How this call is retried, in place of what the instance was made with.

        Raises:
            RPCError: The server refused the call, with one of `refusals`.
            CannotAsk: The server did not answer, or there is no such namespace.
        """
        rule = retries or self._retries
        began = time.monotonic()
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._slots if limited else contextlib.nullcontext():
                    answer = await method(request, retry=rule.by_sdk, timeout=rule.timeout or timeout)
            except RuntimeError as error:  # the SDK could not connect in the first place
                raise unreachable(self.client.service_client.config.target_host, str(error)) from None
            except rpc_error() as error:
                wait = rule.wait(attempt, time.monotonic() - began, error.status, answered=self._answered)
                if wait is None:
                    if error.status in self.refusals and not namespace_missing(error):
                        raise
                    raise call_failed(self.client, error) from None
                await asyncio.sleep(wait)
            else:
                self._answered = True
                return answer

    async def call_if_found(self, method: Callable[..., Awaitable[T]], request: Any, **options: Any) -> T | None:
        """As `call`; None for what does not exist. Other refusals are `CannotAsk`."""
        try:
            return await self.call(method, request, **options)
        except rpc_error() as error:
            if error.status == NOT_FOUND:
                return None
            raise call_failed(self.client, error) from None

    async def pages(self, method: Callable[..., Awaitable[T]], request: Any, **options: Any) -> AsyncIterator[T]:
        """The answers of a list, page by page, as `call` gives them. `request` is changed on the way."""
        while True:
            answer: Any = await self.call(method, request, **options)
            yield answer
            if not answer.next_page_token:
                return
            request.next_page_token = answer.next_page_token

    async def count_workflows(self, query: str = "") -> int:
        """How many workflows match a list filter.

        Raises:
            OptionError: The server does not understand the query.
        """
        request = CountWorkflowExecutionsRequest(namespace=self.client.namespace, query=query)
        try:
            return (await self.call(self.client.workflow_service.count_workflow_executions, request)).count
        except rpc_error() as error:
            raise query_refused(query, error) from None

    async def list_workflows(
        self, query: str = "", limit: int | None = None, *, page_size: int = PAGE_SIZE
    ) -> AsyncIterator[WorkflowExecutionInfo]:
        """Workflow runs that match a list filter, in the server's order: the newest first; at most `limit`.

        Raises:
            OptionError: The server does not understand the query.
        """
        request = ListWorkflowExecutionsRequest(namespace=self.client.namespace, query=query)
        left = limit
        while left is None or left > 0:
            request.page_size = page_size if left is None else min(page_size, left)
            try:
                answer = await self.call(self.client.workflow_service.list_workflow_executions, request)
            except rpc_error() as error:
                raise query_refused(query, error) from None
            for info in answer.executions[:left]:
                yield info
            left = None if left is None else left - len(answer.executions)
            if not answer.next_page_token:
                return
            request.next_page_token = answer.next_page_token

    async def describe_workflow(self, workflow_id: str, run_id: str = "") -> DescribeWorkflowExecutionResponse | None:
        """The server's description of a run, of the current one without a run id."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = DescribeWorkflowExecutionRequest(namespace=self.client.namespace, execution=execution)
        return await self.call_if_found(self.client.workflow_service.describe_workflow_execution, request)

    async def history_page(
        self, execution: WorkflowExecution, *, token: bytes = b"", max_events: int = 0, wait: bool = False
    ) -> GetWorkflowExecutionHistoryResponse | None:
        """A page of a run's events, the oldest first; its `next_page_token` is empty on the last one.

        Args:
            max_events: About how many events: the server counts what was written at once. 0: as many as it gives.
            wait: Wait at the end of an open run for new events, for up to about 20 seconds; the page may then be
                empty.
        """
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self.client.namespace,
            execution=execution,
            next_page_token=token,
            maximum_page_size=max_events,
            wait_new_event=wait,
        )
        return await self._history(request, wait)

    async def history(self, workflow_id: str, run_id: str = "") -> list[HistoryEvent] | None:
        """All events of a run, of the current one without a run id; None if there is no such run."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        events: list[HistoryEvent] = []
        token = b""
        while (page := await self.history_page(execution, token=token)) is not None:
            events += page.history.events
            token = page.next_page_token
            if not token:
                return events
        return None

    async def last_events(self, execution: WorkflowExecution, count: int) -> list[HistoryEvent]:
        """About the last `count` events of a run, the newest first: the server counts what was written at once."""
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self.client.namespace, execution=execution, maximum_page_size=count
        )
        service = self.client.workflow_service
        answer = await self.call_if_found(service.get_workflow_execution_history_reverse, request)
        return list(answer.history.events) if answer is not None else []

    async def close_event(self, execution: WorkflowExecution, *, wait: bool = False) -> HistoryEvent | None:
        """The event that closed a run; None while it is open, and if there is no such run.

        Call this for closed runs: for an open one, server 1.32 waits 9 seconds even without `wait`.

        Args:
            wait: Wait for an open run to close, for up to about 20 seconds.
        """
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self.client.namespace,
            execution=execution,
            wait_new_event=wait,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        answer = await self._history(request, wait)
        return answer.history.events[-1] if answer is not None and answer.history.events else None

    async def pollers(self, task_queue: str, kind: TaskQueueType.ValueType) -> list[PollerInfo]:
        """Workers that have polled a task queue lately, as the server remembers it (about five minutes)."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace, task_queue=TaskQueue(name=task_queue), task_queue_type=kind
        )
        answer = await self.call_if_found(self.client.workflow_service.describe_task_queue, request)
        return list(answer.pollers) if answer is not None else []

    async def _history(
        self, request: GetWorkflowExecutionHistoryRequest, wait: bool
    ) -> GetWorkflowExecutionHistoryResponse | None:
        timeout = LONG_POLL_TIMEOUT if wait else CALL_TIMEOUT
        method = self.client.workflow_service.get_workflow_execution_history
        return await self.call_if_found(method, request, timeout=timeout, limited=not wait)


def still_polls(poller: PollerInfo, now: datetime, within: timedelta = POLLS_WITHIN) -> bool:
    """Whether a worker is still there, judged by its last poll."""
    return now - to_datetime(poller.last_access_time) < within

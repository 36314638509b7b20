"""Calls of the raw service that a look at many workflows makes: bounded in number at once, with errors of ours.

Raw, because the SDK's own descriptions and lists raise on what it has no name for, as a paused workflow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

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
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from ..errors import CannotAsk, OptionError
from .errors import unreachable
from .timestamps import moment

if TYPE_CHECKING:
    from temporalio.client import Client

T = TypeVar("T")

AT_ONCE = 16
CALL_LIMIT = timedelta(seconds=10)
WAIT_LIMIT = timedelta(seconds=60)
PAGE = 200
REFUSALS = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND)
# An overloaded server says so, and one whose parts move is unavailable for a moment: then we are the ones who wait.
BUSY_TRIES = 4
BUSY_SECONDS = 0.2
# A worker asks anew at least once a minute; the server remembers one that has gone for some minutes.
POLLS_WITHIN = timedelta(seconds=90)


class Calls:
    """One client's calls, at most `at_once` at a time.

    Every call raises `CannotAsk` where the server gives no answer; what is merely not there is None.
    """

    # What the server may say to a call that it understood.
    refusals: tuple[RPCStatusCode, ...] = REFUSALS

    def __init__(self, client: Client, *, at_once: int = AT_ONCE) -> None:
        self.client = client
        self._turns = asyncio.Semaphore(at_once)
        self._answered = False

    async def count(self, query: str) -> int:
        """How many workflows fit a query.

        Raises:
            OptionError: The server does not understand the query.
        """
        request = CountWorkflowExecutionsRequest(namespace=self.client.namespace, query=query)
        service = self.client.workflow_service
        try:
            return (await self._ask(lambda: service.count_workflow_executions(request, timeout=CALL_LIMIT))).count
        except RPCError as error:
            raise _refused(query, error) from None

    async def listed(self, query: str, most: int, *, page: int = PAGE) -> AsyncIterator[WorkflowExecutionInfo]:
        """At most `most` workflows that fit a query, as the server orders them: the newest first. `page`: in one call.

        Raises:
            OptionError: The server does not understand the query.
        """
        request = ListWorkflowExecutionsRequest(namespace=self.client.namespace, query=query)
        service = self.client.workflow_service
        given = 0
        while given < most:
            request.page_size = min(page, most - given)
            try:
                answer = await self._ask(lambda: service.list_workflow_executions(request, timeout=CALL_LIMIT))
            except RPCError as error:
                raise _refused(query, error) from None
            for each in answer.executions[: most - given]:
                given += 1
                yield each
            if not answer.next_page_token:
                return
            request.next_page_token = answer.next_page_token

    async def described(self, workflow_id: str, run_id: str = "") -> DescribeWorkflowExecutionResponse | None:
        """A run (the current one without an id) as the server describes it."""
        execution = WorkflowExecution(workflow_id=workflow_id, run_id=run_id)
        request = DescribeWorkflowExecutionRequest(namespace=self.client.namespace, execution=execution)
        service = self.client.workflow_service
        return await self._there(lambda: service.describe_workflow_execution(request, timeout=CALL_LIMIT))

    async def last_events(self, execution: WorkflowExecution, pages: int) -> list[HistoryEvent]:
        """About the last `pages` events of a run, the newest first: the server counts what was written at once."""
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self.client.namespace, execution=execution, maximum_page_size=pages
        )
        service = self.client.workflow_service
        answer = await self._there(lambda: service.get_workflow_execution_history_reverse(request, timeout=CALL_LIMIT))
        return list(answer.history.events) if answer is not None else []

    async def events(
        self, execution: WorkflowExecution, *, token: bytes = b"", most: int = 0, wait: bool = False
    ) -> GetWorkflowExecutionHistoryResponse | None:
        """A page of a run's events, the oldest first, and in `next_page_token` what to ask on with, empty at the end.

        Args:
            most: How many at most, about: the server counts what was written at once. 0: as many as it gives.
            wait: The end of an open run is not the end: wait there for new events, for up to about 20 seconds, after
                which the page may be empty.
        """
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self.client.namespace,
            execution=execution,
            next_page_token=token,
            maximum_page_size=most,
            wait_new_event=wait,
        )
        service = self.client.workflow_service
        limit = WAIT_LIMIT if wait else CALL_LIMIT
        # Who waits takes no turn, so that nobody waits with them.
        return await self._there(lambda: service.get_workflow_execution_history(request, timeout=limit), turn=not wait)

    async def close_event(self, execution: WorkflowExecution, *, wait: bool = False) -> HistoryEvent | None:
        """The event that closed a run; None while it is open, and where there is no such run.

        Ask for runs that have closed: of an open one, server 1.32 waits for it for 9 seconds whatever it is told.

        Args:
            wait: For an open run to close, for up to about 20 seconds.
        """
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self.client.namespace,
            execution=execution,
            wait_new_event=wait,
            history_event_filter_type=HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT,
        )
        service = self.client.workflow_service
        limit = WAIT_LIMIT if wait else CALL_LIMIT
        answer = await self._there(
            lambda: service.get_workflow_execution_history(request, timeout=limit), turn=not wait
        )
        return answer.history.events[-1] if answer is not None and answer.history.events else None

    async def pollers(self, queue: str, kind: TaskQueueType.ValueType) -> list[PollerInfo]:
        """Who has polled a task queue lately, as the server remembers it (about five minutes)."""
        request = DescribeTaskQueueRequest(
            namespace=self.client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
        )
        service = self.client.workflow_service
        answer = await self._there(lambda: service.describe_task_queue(request, timeout=CALL_LIMIT))
        return list(answer.pollers) if answer is not None else []

    async def _there(self, call: Callable[[], Awaitable[T]], *, turn: bool = True) -> T | None:
        try:
            return await self._ask(call, turn=turn)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return None
            raise cannot_ask(self.client, error) from None

    async def _ask(self, call: Callable[[], Awaitable[T]], *, turn: bool = True) -> T:
        """What the call answers. RPCError: it was understood and refused."""
        for left in reversed(range(BUSY_TRIES)):
            try:
                async with self._turns if turn else contextlib.nullcontext():
                    answer = await call()
                self._answered = True
                return answer
            except RuntimeError as error:  # how the SDK says that it could not connect in the first place
                raise unreachable(self.client.service_client.config.target_host, str(error)) from None
            except RPCError as error:
                if not left or not self._passes(error):
                    if error.status in self.refusals and not no_namespace(error):
                        raise
                    raise cannot_ask(self.client, error) from None
                await asyncio.sleep(BUSY_SECONDS * 2 ** (BUSY_TRIES - left))
        raise AssertionError("the last try returns or raises")

    def _passes(self, error: RPCError) -> bool:
        """Whether the same call may work in a moment. A server that never answered is not waited for."""
        unavailable = error.status == RPCStatusCode.UNAVAILABLE and self._answered
        return unavailable or error.status == RPCStatusCode.RESOURCE_EXHAUSTED


def still_polls(poller: PollerInfo, now: datetime, within: timedelta = POLLS_WITHIN) -> bool:
    """Whether a worker is still there, by when it has polled last."""
    return now - moment(poller.last_access_time) < within


def quoted(text: str) -> str:
    """A text as a list filter takes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def cannot_ask(client: Client, error: RPCError) -> CannotAsk:
    """Our error for an answer that was none."""
    address = client.service_client.config.target_host
    if no_namespace(error):
        return CannotAsk(f"there is no namespace {client.namespace} at {address}", hint="name another namespace")
    if error.status == RPCStatusCode.INVALID_ARGUMENT:
        return CannotAsk(f"the Temporal server at {address} does not take that: {error.message}")
    status = error.status.name.lower().replace("_", " ")
    if error.status == RPCStatusCode.UNKNOWN:  # what the SDK says of a connection that broke
        status = next(iter(error.message.splitlines()), status)
    message = f"the Temporal server at {address} does not answer for the namespace {client.namespace}: {status}"
    return CannotAsk(
        message,
        details=error.message.splitlines()[:3],
        hint="see that it is well, and that TLS and API key are as it wants them",
    )


def no_namespace(error: RPCError) -> bool:
    """Whether the server says that it is the namespace which it does not have."""
    if error.status != RPCStatusCode.NOT_FOUND:
        return False
    return any("NamespaceNotFound" in detail.type_url for detail in error.grpc_status.details)


def _refused(query: str, error: RPCError) -> OptionError:
    return OptionError(
        f"the server does not understand the query: {query}",
        details=error.message.splitlines()[:3],
        hint="it is a list filter, as WorkflowType = 'Order': https://docs.temporal.io/list-filter",
    )

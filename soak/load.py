"""The load on a server: signals that are sent all the time, and which of them the server has acknowledged."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import threading
import time
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    GetWorkflowExecutionHistoryRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from .checks import missing
from .work import TASK_QUEUE, Collect

T = TypeVar("T")

NAMESPACE = "default"
CALL = timedelta(seconds=2)
PAUSE_SECONDS = 0.01
RETRY_SECONDS = 0.05
SENDERS = 2
LIMIT = 180.0  # on a machine under load the servers of quick rounds live for a second between two kills
TASK_SECONDS = 2  # a workflow task whose worker or server was killed is given to another worker
HISTORY_SECONDS = 20.0
# What a call says whose server is not there, is killed meanwhile, or has only begun to serve.
AWAY = {
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.UNKNOWN,
}


class Loop:
    """An event loop in a thread of its own, for the loads of all lanes."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="load", daemon=True)
        self._thread.start()
        self.runtime = Runtime(telemetry=TelemetryConfig(logging=None))  # killed servers are no news

    def begin(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Start work in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T], limit: float = 2 * LIMIT) -> T:
        """The result of work in the loop."""
        return self.begin(work).result(limit)

    def close(self) -> None:
        """End the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Load:
    """Workflows on one server that are told words, one workflow after the other.

    No call is retried by the SDK: a word counts as acknowledged if its one call was.
    """

    def __init__(self, loop: Loop, address: str, task_queue: str = TASK_QUEUE, *, works: bool = True) -> None:
        self._loop = loop
        self._address = address
        self._queue = task_queue
        self._works = works
        self._senders: list[asyncio.Task[None]] = []
        self._ends: list[concurrent.futures.Future[list[str]]] = []
        self._numbers = itertools.count(1)
        self.acknowledged: dict[str, set[str]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._worker_error: Exception | None = None
        loop.run(self._connect())

    # From the threads of lanes

    def tell(self, workflow_id: str, at_least: int = 0) -> None:
        """Start a workflow, and tell it words until `stop`; return once `at_least` are acknowledged."""
        self._loop.run(self._tell(workflow_id))
        deadline = time.monotonic() + LIMIT
        while len(self.acknowledged[workflow_id]) < at_least:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._address} acknowledges no signals")
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        """Stop sending words."""
        self._loop.run(self._stop())

    def lost(self, workflow_id: str) -> list[str]:
        """What was acknowledged and does not come into the workflow's history.

        While a workflow task runs, also one whose worker was killed, the server keeps signals beside the history.
        """
        deadline = time.monotonic() + HISTORY_SECONDS
        while found := missing(self.acknowledged[workflow_id], self._loop.run(self._history(workflow_id))):
            if time.monotonic() > deadline:
                return [f"{workflow_id}: {text}" for text in found]
            time.sleep(RETRY_SECONDS)
        return []

    def exists(self, workflow_id: str) -> bool:
        """Whether the server knows the workflow."""
        return self._loop.run(self._exists(workflow_id))

    def end(self, workflow_id: str) -> None:
        """Have the workflow complete; `settle` says whether it did, and with all acknowledged words."""
        self._ends.append(self._loop.begin(self._complete(workflow_id)))

    def settle(self, *, all_of_them: bool = False) -> list[str]:
        """What was wrong with workflows that have ended; with `all_of_them` those that still run are waited for."""
        found = []
        for future in list(self._ends):
            if all_of_them or future.done():
                self._ends.remove(future)
                found += future.result(2 * LIMIT)
        return found

    def close(self) -> None:
        """End senders and worker."""
        self._loop.run(self._close())

    # In the loop

    async def _connect(self) -> None:
        self._client = await Client.connect(self._address, runtime=self._loop.runtime)
        self._service = self._client.workflow_service
        if self._works:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        """Run a worker, again if the server was away for too long."""
        while True:
            try:
                await Worker(
                    self._client,
                    task_queue=self._queue,
                    workflows=[Collect],
                    workflow_runner=UnsandboxedWorkflowRunner(),
                    graceful_shutdown_timeout=timedelta(0),
                ).run()
            except Exception as error:  # noqa: BLE001 - whatever ended it, another one is started
                self._worker_error = error
                await asyncio.sleep(RETRY_SECONDS)

    async def _tell(self, workflow_id: str) -> None:
        await self._stop()
        self.acknowledged[workflow_id] = set()
        request = StartWorkflowExecutionRequest(
            namespace=NAMESPACE,
            workflow_id=workflow_id,
            workflow_type=WorkflowType(name="Collect"),
            task_queue=TaskQueue(name=self._queue),
            workflow_task_timeout=Duration(seconds=TASK_SECONDS),
            request_id=workflow_id,
        )
        await _until_answered(lambda: self._service.start_workflow_execution(request, retry=False, timeout=CALL))
        self._senders = [asyncio.create_task(self._send(workflow_id)) for _ in range(SENDERS)]

    async def _send(self, workflow_id: str) -> None:
        while True:
            word = f"word-{workflow_id}-{next(self._numbers)}"
            try:
                await self._signal(workflow_id, "tell", word)
            except RPCError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.acknowledged[workflow_id].add(word)
                await asyncio.sleep(PAUSE_SECONDS)

    async def _signal(self, workflow_id: str, name: str, *words: str) -> None:
        await self._service.signal_workflow_execution(
            SignalWorkflowExecutionRequest(
                namespace=NAMESPACE,
                workflow_execution=WorkflowExecution(workflow_id=workflow_id),
                signal_name=name,
                input=Payloads(payloads=await _encoded(*words)) if words else None,
            ),
            retry=False,
            timeout=CALL,
        )

    async def _stop(self) -> None:
        senders, self._senders = self._senders, []
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    async def _events(self, workflow_id: str) -> list[Any]:
        events: list[Any] = []
        token = b""
        while True:
            request = GetWorkflowExecutionHistoryRequest(
                namespace=NAMESPACE, execution=WorkflowExecution(workflow_id=workflow_id), next_page_token=token
            )
            answer = await _until_answered(
                lambda request=request: self._service.get_workflow_execution_history(request, retry=False, timeout=CALL)
            )
            events += answer.history.events
            token = answer.next_page_token
            if not token:
                return events

    async def _history(self, workflow_id: str) -> set[str]:
        found: set[str] = set()
        for event in await self._events(workflow_id):
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
                found.update(await _decoded(event.workflow_execution_signaled_event_attributes.input))
        return found

    async def _exists(self, workflow_id: str) -> bool:
        try:
            await self._events(workflow_id)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    async def _complete(self, workflow_id: str) -> list[str]:
        """What is wrong with the end of a workflow."""
        with contextlib.suppress(RPCError):  # one that is being tried again has ended already
            await _until_answered(lambda: self._signal(workflow_id, "end"))
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            for event in (await self._events(workflow_id))[-1:]:
                if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
                    (result,) = await _decoded(event.workflow_execution_completed_event_attributes.result, list[str])
                    acknowledged = self.acknowledged[workflow_id]
                    found = missing(acknowledged, result) or missing(acknowledged, await self._history(workflow_id))
                    return [f"{workflow_id} completed, and {text}" for text in found]
            await asyncio.sleep(4 * RETRY_SECONDS)
        return [f"{workflow_id} does not complete within {LIMIT:g} s (last error of the worker: {self._worker_error})"]

    async def _close(self) -> None:
        await self._stop()
        for future in self._ends:
            future.cancel()
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)


async def _until_answered(call: Any) -> Any:
    """The answer of a server that may be away for a while: calls that do not reach it are repeated."""
    deadline = time.monotonic() + LIMIT
    while True:
        try:
            return await call()
        except RPCError as error:
            if error.status not in AWAY or time.monotonic() > deadline:
                raise
        await asyncio.sleep(RETRY_SECONDS)


async def _encoded(*values: Any) -> list[Payload]:
    return await DataConverter.default.encode(values)


async def _decoded(payloads: Payloads, kind: type = str) -> list[Any]:
    return [*await DataConverter.default.decode(payloads.payloads, [kind])] if payloads.payloads else []

"""Runs the workload of a patient: starts workflows, signals and updates them, creates schedules, and notes what was
acknowledged and what ran.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
import uuid
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from ...cluster import Load
from .load_schedules import LoadSchedules
from .load_workflow import QUEUE, LoadSteps, LoadWorkflow
from .record import LoadCall

RESULT_SECONDS = 60.0  # for what was acknowledged to complete after the runbook has ended: members find each other late
BROKEN_SECONDS = 3.0  # the same, where no new workflow runs anyway
RETRY_SECONDS = 0.2
STARTS_A_SCHEDULE = 10
MOST_AT_ONCE = 50
NOT_UPDATED = (*(RPCError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError, asyncio.TimeoutError),)
LATE = "no answer within its deadline"


class LoadDriver:
    """The workload. Times in its calls are seconds of the epoch; `relative` turns them into seconds of a run.

    Args:
        load: The declaration.
        address: The patient's frontend.
        namespace: The namespace to work in.
    """

    def __init__(self, load: Load, address: str, namespace: str) -> None:
        self._load = load
        self._address = address
        self._namespace = namespace
        self._calls: dict[str, LoadCall] = {}
        self._running: asyncio.Task[None] | None = None
        self._pending: set[asyncio.Task[None]] = set()
        self.began = self.ended = 0.0

    async def begin(self) -> None:
        """Start the worker, and the workload."""
        # The SDK's core writes every retry of an outage to stderr.
        self._client = await Client.connect(
            self._address,
            namespace=self._namespace,
            runtime=Runtime(telemetry=TelemetryConfig(logging=None)),
            retry_config=RetryConfig(max_retries=1),
        )
        self._worker = Worker(
            self._client,
            task_queue=QUEUE,
            workflows=[LoadWorkflow],
            activities=[LoadSteps(self._on_step).step],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=100,
        )
        self._schedules = LoadSchedules(self._client, self._load.deadline)
        self._polling = asyncio.create_task(self._worker.run())
        self.began = self.ended = time.time()
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop starting workflows; the worker keeps running."""
        if self._running is None:
            return
        self._running.cancel()
        await asyncio.gather(self._running, *self._pending, return_exceptions=True)
        self._running = None
        self.ended = time.time()

    async def settle(self, *, broken: bool) -> None:
        """Ask what became of everything that was acknowledged, for up to 60 seconds; 3 if the cluster is `broken`."""
        await self.stop()
        limit = asyncio.Semaphore(MOST_AT_ONCE)
        deadline = time.monotonic() + (BROKEN_SECONDS if broken else RESULT_SECONDS)
        acknowledged = [call for call in self._calls.values() if call.acknowledged is not None]
        await asyncio.gather(*(self._result(call, limit, deadline) for call in acknowledged))
        await self._schedules.settle(deadline)

    async def canary(self, limit: float) -> str | None:
        """Why a workflow does not run within `limit` seconds; None if one does."""
        name = f"canary-{uuid.uuid4().hex[:12]}"
        deadline = time.monotonic() + limit
        problem = "no answer"
        while (left := deadline - time.monotonic()) > 0:
            try:
                handle = await self._client.start_workflow(
                    LoadWorkflow.run, id=name, task_queue=QUEUE, rpc_timeout=timedelta(seconds=min(2.0, left))
                )
                await asyncio.wait_for(handle.result(), max(0.1, deadline - time.monotonic()))
            except WorkflowAlreadyStartedError:
                name = f"canary-{uuid.uuid4().hex[:12]}"
            except asyncio.TimeoutError:
                problem = "it was started, and did not run"
            except RPCError as error:
                problem = f"{error.status.name}: {error.message}"
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return None
        return f"a workflow does not run within {limit:g} s: {problem}"

    async def close(self) -> None:
        """End the worker."""
        await self.stop()
        with contextlib.suppress(asyncio.TimeoutError, RuntimeError):
            await asyncio.wait_for(self._worker.shutdown(), 5)
        self._polling.cancel()
        await asyncio.gather(self._polling, return_exceptions=True)

    def starts(self, zero: float) -> list[LoadCall]:
        """The workflows that it has started, with times since `zero` (seconds of the epoch)."""
        return self._relative(self._calls.values(), zero)

    def schedules(self, zero: float) -> list[LoadCall]:
        """The schedules that it has created, with times since `zero` (seconds of the epoch)."""
        return self._relative(self._schedules.calls(), zero)

    @staticmethod
    def _relative(calls: Iterable[LoadCall], zero: float) -> list[LoadCall]:
        def since(moment: float | None) -> float | None:
            return None if moment is None else moment - zero

        return [
            replace(call, at=call.at - zero, acknowledged=since(call.acknowledged), completed=since(call.completed))
            for call in calls
        ]

    async def _run(self) -> None:
        for number in itertools.count():
            self._begin(self._call())
            if self._load.schedules and number % STARTS_A_SCHEDULE == 0:
                self._begin(self._schedules.create())
            await asyncio.sleep(self._load.every)

    def _begin(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(call)
        self._pending.add(task)
        task.add_done_callback(self._pending.discard)

    async def _call(self) -> None:
        name = f"load-{uuid.uuid4().hex[:12]}"
        self._calls[name] = LoadCall(name, time.time())
        deadline = timedelta(seconds=self._load.deadline)
        try:
            handle = await asyncio.wait_for(
                self._client.start_workflow(LoadWorkflow.run, id=name, task_queue=QUEUE, rpc_timeout=deadline),
                self._load.deadline + 0.5,
            )
            self._note(name, acknowledged=time.time())
            await asyncio.gather(self._signal(handle), self._update(handle))
        except WorkflowAlreadyStartedError:  # the first try was acknowledged to nobody
            self._note(name, acknowledged=time.time())
        except asyncio.TimeoutError:
            self._note(name, error=LATE)
        except RPCError as error:
            if self._calls[name].acknowledged is None:
                self._note(name, error=f"{error.status.name}: {error.message}")

    async def _signal(self, handle: WorkflowHandle[LoadWorkflow, list[str]]) -> None:
        if self._load.signals:
            with contextlib.suppress(RPCError):
                await handle.signal(LoadWorkflow.poke, rpc_timeout=timedelta(seconds=self._load.deadline))
                self._note(handle.id, signaled=True)

    async def _update(self, handle: WorkflowHandle[LoadWorkflow, list[str]]) -> None:
        if self._load.updates:
            with contextlib.suppress(*NOT_UPDATED):
                update = handle.execute_update(LoadWorkflow.change, rpc_timeout=timedelta(seconds=self._load.deadline))
                await asyncio.wait_for(update, self._load.deadline + 0.5)
                self._note(handle.id, updated=True)

    async def _result(self, call: LoadCall, limit: asyncio.Semaphore, deadline: float) -> None:
        handle = self._client.get_workflow_handle(call.workflow_id, result_type=list[str])
        async with limit:
            while True:
                try:
                    received = await asyncio.wait_for(handle.result(), max(0.1, deadline - time.monotonic()))
                    self._note(call.workflow_id, result=_judged(self._calls[call.workflow_id], received))
                except asyncio.TimeoutError:
                    self._note(call.workflow_id, result="not completed")
                except WorkflowFailureError as error:
                    self._note(call.workflow_id, result=f"failed: {error.cause}")
                except RPCError as error:
                    self._note(call.workflow_id, result=f"{error.status.name}: {error.message}")
                    if error.status != RPCStatusCode.NOT_FOUND and time.monotonic() < deadline:
                        await asyncio.sleep(RETRY_SECONDS)
                        continue
                return

    def _on_step(self, workflow_id: str) -> None:
        self._schedules.on_step(workflow_id)
        if workflow_id in self._calls and self._calls[workflow_id].completed is None:
            self._note(workflow_id, completed=time.time())

    def _note(self, name: str, **changes: object) -> None:
        self._calls[name] = replace(self._calls[name], **changes)  # type: ignore[arg-type]


def _judged(call: LoadCall, received: Sequence[str]) -> str:
    """`complete`, or what was acknowledged and is not there."""
    lost = [
        kind
        for kind, acknowledged in (("signal", call.signaled), ("update", call.updated))
        if acknowledged and kind not in received
    ]
    return f"{' and '.join(lost)} lost" if lost else "complete"

"""What the server refuses of a worker, and which of its workflows it terminates: each is reported once, with its cause.

The SDK logs refusals without the workflow. So the sizes of answers are measured here before they are sent, and the
server is asked why it failed a workflow task.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from google.protobuf.message import Message
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto import ActivityHeartbeat, ActivityTaskCompletion
from temporalio.bridge.proto.activity_result import ActivityExecutionResult
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client
from temporalio.worker import Worker

from ..client.calls import ServiceCalls
from ..client.list_filters import quote, quote_time
from ..errors import DevServerError
from .failure_reporter import FailureReporter

CHECK_SECONDS = 2.0
LAST_EVENTS = 4
MAX_MESSAGE_BYTES = 4 * 2**20  # of gRPC: the server takes no larger request
SERVER = "history-service"  # the identity of the server where it terminates a workflow
LIMITS = {
    "Workflow history count exceeds limit.": "its history has {events:,} events, and the server allows no more",
    "Workflow history size exceeds limit.": "its history has {bytes:,} bytes, and the server allows no more",
    "GrpcMessageTooLarge": f"an answer of its worker is larger than the {MAX_MESSAGE_BYTES:,} bytes of one message",
}
COMMANDS = {
    "complete_workflow_execution": "its result",
    "fail_workflow_execution": "its failure",
    "continue_as_new_workflow_execution": "the input of its continue-as-new",
    "modify_workflow_properties": "its memo",
    "update_response": "the response to an update",
    "respond_to_query": "the response to a query",
    "schedule_activity": "the input of the activity {activity_type}",
    "start_child_workflow_execution": "the input of the child workflow {workflow_type}",
    "signal_external_workflow_execution": "the input of the signal {signal_name}",
    "schedule_nexus_operation": "the input of the Nexus operation {operation}",
}


class AnswerSizes:
    """Measures what a worker is about to send; what the server refuses for its size is named with size and limit."""

    def __init__(self, reporter: FailureReporter, limit: int) -> None:
        """`limit` is the namespace's for one payload, in bytes; 0 if the server does not tell."""
        self._reporter = reporter
        self._limit = limit

    def watch(self, worker: Worker) -> None:
        """Look at every answer of this worker. The SDK has no hook for this, so we wrap the part that sends them."""
        bridge: Any = getattr(worker, "_bridge_worker", None)
        complete_activity = getattr(bridge, "complete_activity_task", None)
        complete_workflow = getattr(bridge, "complete_workflow_activation", None)
        heartbeat = getattr(bridge, "record_activity_heartbeat", None)
        if not self._limit or None in (complete_activity, complete_workflow, heartbeat):
            return

        async def activity(completion: ActivityTaskCompletion) -> None:
            self._measure_activity(completion.task_token, completion.result, "its result")
            await complete_activity(completion)  # type: ignore[misc]

        async def workflow(completion: WorkflowActivationCompletion) -> None:
            too_large = self._measure_workflow(completion)
            await complete_workflow(completion)  # type: ignore[misc]
            if too_large:  # the SDK may learn only after the task's timeout that the server refused it
                self._reporter.refused_runs.append(completion.run_id)

        def beat(details: ActivityHeartbeat) -> None:
            self._measure_activity(details.task_token, details, "its heartbeat")
            heartbeat(details)  # type: ignore[misc]

        bridge.complete_activity_task, bridge.complete_workflow_activation = activity, workflow
        bridge.record_activity_heartbeat = beat

    def _measure_activity(self, token: bytes, sent: Message, what: str) -> None:
        failed = isinstance(sent, ActivityExecutionResult) and sent.HasField("failed")  # which the server shortens
        if (size := sent.ByteSize()) > self._limit and not failed:
            self._reporter.activity_refused(token, self._words(what, size, self._limit))
        elif what == "its result":
            self._reporter.activity_over(token)

    def _measure_workflow(self, completion: WorkflowActivationCompletion) -> bool:
        if (total := completion.ByteSize()) <= self._limit:
            return False
        large = list(self._large(completion))
        if not large and total > MAX_MESSAGE_BYTES:
            large = [self._words("the sum of all commands of one workflow task", total, MAX_MESSAGE_BYTES)]
        if large:
            self._reporter.too_large(completion.run_id, large[0])
        return bool(large)

    def _large(self, completion: WorkflowActivationCompletion) -> Iterator[str]:
        for command in completion.successful.commands:
            variant = command.WhichOneof("variant") or ""
            if (size := command.ByteSize()) > self._limit:
                if variant == "respond_to_query":  # which blocks nothing
                    self._reporter.run_failed(
                        "answer_refused", completion.run_id, self._words(COMMANDS[variant], size, self._limit)
                    )
                    continue
                fields = {field.name: value for field, value in getattr(command, variant).ListFields()}
                yield self._words(
                    COMMANDS.get(variant, variant.replace("_", " ")).format_map(fields), size, self._limit
                )

    @staticmethod
    def _words(what: str, size: int, limit: int) -> str:
        """What is too large; its size is that of the whole answer, a few bytes more than the server counts."""
        return f"{what} is {_megabytes(size)}, and the server accepts {_megabytes(limit)}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


async def report_refusals(client: Client, queue: str, reporter: FailureReporter) -> None:
    """Ask the server about refused workflow tasks, and for workflows that it terminated, until cancelled."""
    calls = ServiceCalls(client)
    since = time.time() - CHECK_SECONDS
    while True:
        await asyncio.sleep(CHECK_SECONDS if not reporter.refused_runs else 0.1)
        with contextlib.suppress(DevServerError):  # the server does not answer, which is reported
            while reporter.refused_runs:
                await _explain(calls, reporter.refused_runs[0], reporter)
                reporter.refused_runs.popleft()
            if reporter.open_runs:
                now = time.time()
                await _report_terminated(calls, queue, since, reporter)
                since = now - CHECK_SECONDS


async def _explain(calls: ServiceCalls, run_id: str, reporter: FailureReporter) -> None:
    workflow_id = reporter.workflow_id(run_id)
    for event in await calls.last_events(WorkflowExecution(workflow_id=workflow_id, run_id=run_id), LAST_EVENTS):
        if event.HasField("workflow_execution_terminated_event_attributes"):
            await _report_terminated_run(calls, run_id, event, reporter)
            return
        if event.HasField("workflow_task_failed_event_attributes"):
            failure = event.workflow_task_failed_event_attributes.failure
            reporter.refused(run_id, failure.message)
            return
        if event.HasField("workflow_task_completed_event_attributes"):
            break
    reporter.refused(run_id, "")


async def _report_terminated(calls: ServiceCalls, queue: str, since: float, reporter: FailureReporter) -> None:
    closed = quote_time(datetime.fromtimestamp(since, timezone.utc))
    query = f"ExecutionStatus = 'Terminated' AND TaskQueue = {quote(queue)} AND CloseTime >= {closed}"
    async for info in calls.list_workflows(query):
        if info.execution.run_id in reporter.open_runs:
            event = await calls.close_event(info.execution)
            if event is not None:
                await _report_terminated_run(calls, info.execution.run_id, event, reporter)


async def _report_terminated_run(
    calls: ServiceCalls, run_id: str, event: HistoryEvent, reporter: FailureReporter
) -> None:
    terminated = event.workflow_execution_terminated_event_attributes
    message = reporter.size_of(run_id) if terminated.reason == "GrpcMessageTooLarge" else ""
    words = LIMITS.get(terminated.reason)
    if words is not None and not message:
        described = await calls.describe_workflow(reporter.workflow_id(run_id), run_id)
        size = described.workflow_execution_info.history_size_bytes if described is not None else 0
        message = words.format(events=event.event_id, bytes=size)
    reporter.open_runs.discard(run_id)
    if terminated.identity == SERVER:
        hint = "continue as new before the history is that large" if "history" in terminated.reason else None
        reporter.run_failed("workflow_terminated", run_id, message or terminated.reason, hint=hint)

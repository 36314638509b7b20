"""Creates workflows with long histories quickly: it completes their tasks itself, with many commands at once."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration
from temporalio.api.command.v1 import (
    Command,
    CompleteWorkflowExecutionCommandAttributes,
    RecordMarkerCommandAttributes,
    ScheduleActivityTaskCommandAttributes,
    StartTimerCommandAttributes,
)
from temporalio.api.common.v1 import ActivityType, Payload, Payloads
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollActivityTaskQueueRequest,
    PollActivityTaskQueueResponse,
    PollWorkflowTaskQueueRequest,
    PollWorkflowTaskQueueResponse,
    RespondActivityTaskCompletedRequest,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

T = TypeVar("T", PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse)

TASK = timedelta(seconds=60)
# A round is an activity `charge`, an activity `ship` and a timer of 1 ms: three, three and two events.
ROUND_EVENTS = 8
ROUNDS, MARKERS = 200, 4000  # in one answer: the server takes 2,000 open activities and 4 MB
AT_ONCE = 16


async def make_history(client: Client, workflow_id: str, events: int, *, rounds: int = 1000) -> int:
    """Create a completed workflow of about `events` events; returns their number.

    Of these, 8 for each of the `rounds` (charge, ship, timer), which take the server some 10 ms each; the rest are
    local activities, which cost it next to nothing.
    """
    queue = f"bench-{uuid.uuid4()}"
    handle = await client.start_workflow("Bulk", id=workflow_id, task_queue=queue, task_timeout=TASK)
    for first in range(0, rounds, ROUNDS):
        count = min(ROUNDS, rounds - first)
        await _answer(
            client, queue, [command for number in range(first, first + count) for command in _round(number, queue)]
        )
        await asyncio.gather(*(_work(client, queue, share) for share in _shares(2 * count)))
    # The last round's timer may fire late, and wakes the workflow if nothing else does.
    left = events - rounds * ROUND_EVENTS
    for first in range(0, left, MARKERS):
        markers = [_local(number) for number in range(first, min(left, first + MARKERS))]
        await _answer(client, queue, markers, go_on=True)
    await _answer(client, queue, [_done()])
    return (await handle.describe()).history_length


def _round(number: int, queue: str) -> Iterator[Command]:
    for name in ("charge", "ship"):
        attributes = ScheduleActivityTaskCommandAttributes(
            activity_id=f"{name}-{number}",
            activity_type=ActivityType(name=name),
            task_queue=TaskQueue(name=queue),
            input=_json({"order": number, "amount": 3}),
            start_to_close_timeout=Duration(seconds=20),  # the server sends a lost task again
        )
        kind = CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK
        yield Command(command_type=kind, schedule_activity_task_command_attributes=attributes)
    timer = StartTimerCommandAttributes(timer_id=f"{number}", start_to_fire_timeout=Duration(nanos=1_000_000))
    yield Command(command_type=CommandType.COMMAND_TYPE_START_TIMER, start_timer_command_attributes=timer)


def _local(number: int) -> Command:
    """A local activity, as SDKs on the shared core record it."""
    data = {"seq": number, "attempt": 1, "activity_id": f"{number}", "activity_type": "reserve"}
    attributes = RecordMarkerCommandAttributes(marker_name="core_local_activity")
    attributes.details["data"].CopyFrom(_json(data))
    attributes.details["result"].CopyFrom(_json(f"shelf {number % 7}"))
    kind = CommandType.COMMAND_TYPE_RECORD_MARKER
    return Command(command_type=kind, record_marker_command_attributes=attributes)


def _done() -> Command:
    attributes = CompleteWorkflowExecutionCommandAttributes(result=_json("done"))
    kind = CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION
    return Command(command_type=kind, complete_workflow_execution_command_attributes=attributes)


def _json(value: object) -> Payloads:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(value).encode())
    return Payloads(payloads=[payload])


def _shares(count: int) -> list[int]:
    return [count // AT_ONCE + (each < count % AT_ONCE) for each in range(AT_ONCE)]


async def _answer(client: Client, queue: str, commands: Sequence[Command], *, go_on: bool = False) -> None:
    """Complete the next workflow task; `go_on` makes the server schedule another at once."""
    poll = PollWorkflowTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="bench")
    task = await _polled(lambda: client.workflow_service.poll_workflow_task_queue(poll, timeout=TASK))
    answer = RespondWorkflowTaskCompletedRequest(
        namespace=client.namespace,
        task_token=task.task_token,
        commands=commands,
        identity="bench",
        force_create_new_workflow_task=go_on,
    )
    await client.workflow_service.respond_workflow_task_completed(answer)


async def _work(client: Client, queue: str, count: int) -> None:
    """Complete this number of activities."""
    poll = PollActivityTaskQueueRequest(namespace=client.namespace, task_queue=TaskQueue(name=queue), identity="bench")
    for _ in range(count):
        task = await _polled(lambda: client.workflow_service.poll_activity_task_queue(poll, timeout=TASK))
        answer = RespondActivityTaskCompletedRequest(
            namespace=client.namespace, task_token=task.task_token, result=_json("ok"), identity="bench"
        )
        await client.workflow_service.respond_activity_task_completed(answer)


async def _polled(poll: Callable[[], Awaitable[T]]) -> T:
    """Poll until there is a task: a poll may return without one or reach its limit."""
    while True:
        try:
            task = await poll()
        except RPCError as error:
            if error.status not in (RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED):
                raise
        else:
            if task.task_token:
                return task

"""What commands of a replay carry, compared with the history.

The SDK's replay compares their kinds, names and ids only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter

from ..history import attributes_of, preview
from ..history.previews import truncate

RESULT = "result of the workflow"
Key = tuple[str, ...]


class CommandInput(NamedTuple):
    """What a command carries: values, or a duration. `key` tells it from others; two may have the same."""

    key: Key
    payloads: Sequence[Payload] = ()
    duration: timedelta | None = None


class InputDifference(NamedTuple):
    """A command that carries something else in the replay; `event` is the one that it led to."""

    reason: str
    event: HistoryEvent


async def first_difference(
    commands: Iterable[WorkflowCommand], history: WorkflowHistory, converter: DataConverter
) -> InputDifference | None:
    """The first command that carries something else than in the history.

    What cannot be compared is left out: values that no codec here decodes, or that are stored elsewhere, and commands
    that cannot be matched with events.
    """
    replayed: dict[Key, list[CommandInput]] = defaultdict(list)
    for command in commands:
        carried = _of_command(command)
        if carried is not None:
            replayed[carried.key].append(carried)
    recorded: dict[Key, list[tuple[HistoryEvent, CommandInput]]] = defaultdict(list)
    for event in history.events:
        carried = _of_event(event)
        if carried is not None:
            recorded[carried.key].append((event, carried))
    found = []
    for key, events in recorded.items():
        again = replayed.get(key, [])
        if len(events) != len(again):  # one was cancelled before it was sent
            continue
        for (event, before), now in zip(events, again, strict=True):
            reason = await _reason(before, now, converter)
            if reason:
                found.append(InputDifference(reason, event))
    return min(found, key=lambda difference: difference.event.event_id, default=None)


def _of_command(command: WorkflowCommand) -> CommandInput | None:
    kind = command.WhichOneof("variant")
    attributes: Any = getattr(command, kind) if kind else None
    if kind == "schedule_activity":
        return CommandInput(("activity", attributes.activity_id), attributes.arguments)
    if kind == "start_timer":
        return CommandInput(("timer", str(attributes.seq)), (), attributes.start_to_fire_timeout.ToTimedelta())
    if kind == "start_child_workflow_execution":
        return CommandInput(("child workflow", attributes.workflow_id), attributes.input)
    if kind == "signal_external_workflow_execution":
        target = attributes.workflow_execution.workflow_id or attributes.child_workflow_id
        return CommandInput(("signal", target, attributes.signal_name), attributes.args)
    if kind == "schedule_nexus_operation":
        return CommandInput(("Nexus operation", attributes.service, attributes.operation), [attributes.input])
    if kind == "complete_workflow_execution":
        return CommandInput((RESULT,), [attributes.result])
    if kind == "continue_as_new_workflow_execution":
        return CommandInput(("next run",), attributes.arguments)
    if kind == "update_response" and attributes.HasField("completed"):
        return CommandInput(("result of the update", attributes.protocol_instance_id), [attributes.completed])
    return None


def _of_event(event: HistoryEvent) -> CommandInput | None:
    kind = event.WhichOneof("attributes")
    attributes: Any = attributes_of(event)
    if kind == "activity_task_scheduled_event_attributes":
        return CommandInput(("activity", attributes.activity_id), attributes.input.payloads)
    if kind == "timer_started_event_attributes":
        return CommandInput(("timer", attributes.timer_id), (), attributes.start_to_fire_timeout.ToTimedelta())
    if kind == "start_child_workflow_execution_initiated_event_attributes":
        return CommandInput(("child workflow", attributes.workflow_id), attributes.input.payloads)
    if kind == "signal_external_workflow_execution_initiated_event_attributes":
        target = attributes.workflow_execution.workflow_id
        return CommandInput(("signal", target, attributes.signal_name), attributes.input.payloads)
    if kind == "nexus_operation_scheduled_event_attributes":
        return CommandInput(("Nexus operation", attributes.service, attributes.operation), [attributes.input])
    if kind == "workflow_execution_completed_event_attributes":
        return CommandInput((RESULT,), attributes.result.payloads)
    if kind == "workflow_execution_continued_as_new_event_attributes":
        return CommandInput(("next run",), attributes.input.payloads)
    if kind == "workflow_execution_update_completed_event_attributes" and attributes.outcome.HasField("success"):
        return CommandInput(("result of the update", attributes.meta.update_id), attributes.outcome.success.payloads)
    return None


async def _reason(before: CommandInput, now: CommandInput, converter: DataConverter) -> str:
    if before.duration is not None:
        return (
            ""
            if before.duration == now.duration
            else f"the timer takes {before.duration} in the history, {now.duration} in the replay"
        )
    try:
        decoded = await _decoded(before.payloads, converter)
        if not decoded or _same(decoded, now.payloads, converter):
            return ""
    except Exception:  # noqa: BLE001 - codecs and converters are the user's, and may fail in any way
        return ""
    texts = [await preview(truncate(payloads), DataConverter.default) for payloads in (decoded, now.payloads)]
    result = before.key[0].startswith("result")
    what = f"the {before.key[0]} is" if result else f"the input of the {before.key[0]} is"
    return f"{what} {texts[0]} in the history, {texts[1]} in the replay"


async def _decoded(payloads: Sequence[Payload], converter: DataConverter) -> Sequence[Payload]:
    """Payloads of the history as the workflow's code gave them; none if they are stored elsewhere."""
    if any(payload.external_payloads for payload in payloads) or converter.external_storage is not None:
        return []
    return await converter.payload_codec.decode(payloads) if converter.payload_codec is not None else payloads


def _same(before: Sequence[Payload], now: Sequence[Payload], converter: DataConverter) -> bool:
    """Whether payloads have the same values: a converter may encode equal values differently."""
    if [payload.data for payload in before] == [payload.data for payload in now]:
        return True
    convert = converter.payload_converter.from_payloads
    return bool(convert(list(before)) == convert(list(now)))

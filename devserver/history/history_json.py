"""Histories as JSON, in every form that Temporal's tools and SDKs have written, as events.

Keys may be camelCase or snake_case, enums names of any spelling (`ActivityTaskScheduled` of 2020, `EVENT_TYPE_...`) or
numbers, payloads whole or in the shorthand of the Temporal CLI. The messages of the API say which field is what.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict, ParseError
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import History, HistoryEvent

from ..client.timestamps import EPOCH

PAYLOAD, PAYLOADS = "temporal.api.common.v1.Payload", "temporal.api.common.v1.Payloads"
TIMES = ("google.protobuf.Timestamp", "google.protobuf.Duration")
GOOGLE = "google.protobuf."
PAYLOAD_KEYS = frozenset(("metadata", "data", "externalPayloads", "external_payloads"))
START = ("workflowExecutionStartedEventAttributes", "workflow_execution_started_event_attributes")


class NotAHistory(ValueError):
    """What was read is no history; the message says why, as the end of a sentence that begins with its name."""


def events_in(document: object) -> list[dict[str, Any]]:
    """The events of a JSON document as they are there: of `{"events": [...]}`, of a bare list, of `{"history": ...}`.

    Raises:
        NotAHistory: It has none.
    """
    if isinstance(document, Mapping):
        if isinstance(document.get("history"), (Mapping, Sequence)):
            return events_in(document["history"])
        if "events" not in document and "Events" not in document:
            raise NotAHistory("has no events" if document else "is empty")
        document = document.get("events", document.get("Events"))
    if not isinstance(document, list):
        raise NotAHistory("is JSON, but no history: it has no list of events")
    if not document:
        raise NotAHistory("has no events")
    if not all(isinstance(event, dict) for event in document):
        raise NotAHistory("is JSON, but no history: its events are not objects")
    return document


def parsed_events(document: object) -> list[HistoryEvent]:
    """The events of a JSON document, in the order of their ids.

    Fields and values that this SDK does not know are left out; an event of an unknown type has the type 0.

    Raises:
        NotAHistory: It has none, or they cannot be read.
    """
    events = events_in(document)
    history = History()
    try:
        for event in events:
            ParseDict(_message(event, HistoryEvent.DESCRIPTOR), history.events.add(), ignore_unknown_fields=True)
    except (ParseError, TypeError, ValueError, RecursionError, AttributeError) as error:
        number = len(history.events)
        raise NotAHistory(f"is no history: event {number} cannot be read: {_short(error)}") from None
    found = sorted(history.events, key=lambda event: event.event_id)
    if found[0].event_id != 1:
        raise NotAHistory(f"has only a part of a history: its first event is {found[0].event_id}")
    if not found[0].HasField("workflow_execution_started_event_attributes"):
        raise NotAHistory("is no history of a workflow: it does not begin with the start of a workflow")
    return found


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _message(value: object, message: Descriptor) -> Any:
    """JSON of a message as the JSON that Protobuf reads."""
    name = message.full_name
    if name == PAYLOADS and isinstance(value, list):
        return {"payloads": [_message(item, Payload.DESCRIPTOR) for item in value]}
    if name == PAYLOAD and not (isinstance(value, dict) and value and value.keys() <= PAYLOAD_KEYS):
        return _shorthand(value)
    if name in TIMES:
        return _time(value, name)
    if name.startswith(GOOGLE) or not isinstance(value, dict):
        return value
    fields = _fields(message)
    read: dict[str, Any] = {}
    for key, item in value.items():
        field = fields.get(key) or fields.get(key[:1].lower() + key[1:])
        if field is None or item is None:
            continue
        found = _field(item, field)
        if found is not None:
            read[field.json_name] = found
    return read


@cache
def _fields(message: Descriptor) -> dict[str, FieldDescriptor]:
    return {name: field for field in message.fields for name in (field.name, field.json_name)}


def _field(value: Any, field: FieldDescriptor) -> Any:
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        inner = kind.fields_by_name["value"]
        return {str(key): _one(item, inner) for key, item in value.items()} if isinstance(value, dict) else value
    if _repeated(field):
        items = [_one(item, field) for item in value] if isinstance(value, list) else value
        return [item for item in items if item is not None] if isinstance(items, list) else items
    return _one(value, field)


def _repeated(field: FieldDescriptor) -> bool:
    return bool(getattr(field, "is_repeated", False)) or getattr(field, "label", 0) == FieldDescriptor.LABEL_REPEATED


def _one(value: Any, field: FieldDescriptor) -> Any:
    if field.message_type is not None:
        return _message(value, field.message_type)
    if field.enum_type is not None and isinstance(value, str):
        return _number(value, field.enum_type)
    return value


def _number(name: str, enum: EnumDescriptor) -> int | None:
    """The number of an enum's value by its name in any spelling; None if this SDK does not know it."""
    if name.lstrip("-").isdecimal():
        return int(name)
    return _numbers(enum).get(re.sub(r"[^a-z0-9]", "", name.lower()))


@cache
def _numbers(enum: EnumDescriptor) -> dict[str, int]:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.name).upper()
    numbers: dict[str, int] = {}
    for value in enum.values:
        for name in (value.name, value.name.removeprefix(f"{prefix}_")):
            numbers[name.replace("_", "").lower()] = value.number
    return numbers


def _shorthand(value: object) -> dict[str, Any]:
    """A payload that is written as its value: the Temporal CLI's shorthand."""
    encoding, kind = "json/plain", None
    if isinstance(value, dict) and isinstance(value.get("_protoMessageType"), str):
        encoding, kind = "json/protobuf", value["_protoMessageType"]
        value = {key: item for key, item in value.items() if key != "_protoMessageType"}
    metadata = {"encoding": "binary/null" if value is None else encoding} | ({"messageType": kind} if kind else {})
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    data = b"" if value is None else text.encode("utf-8", "replace")
    return {
        "metadata": {key: base64.b64encode(word.encode()).decode() for key, word in metadata.items()},
        "data": base64.b64encode(data).decode(),
    }


def _time(value: object, name: str) -> object:
    """A time or a duration: as Protobuf writes it, as seconds and nanoseconds, or as a number."""
    if isinstance(value, dict):
        seconds, nanos = int(value.get("seconds") or 0), int(value.get("nanos") or 0)
    elif isinstance(value, int) or (isinstance(value, str) and value.lstrip("-").isdecimal()):
        seconds, nanos = divmod(int(value), 1_000_000_000)
    else:
        return value
    if name == TIMES[1]:
        return f"{seconds}.{nanos:09}s" if seconds >= 0 else f"{seconds}s"
    return f"{EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000):%Y-%m-%dT%H:%M:%S.%fZ}"

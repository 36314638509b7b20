"""Histories of our own making as JSON documents, in the forms that Temporal's tools and SDKs have written."""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

START = datetime(2026, 11, 2, 9, 30, tzinfo=timezone.utc)
RUN = "0190a1b2-0000-7000-8000-00000000000"


def payload(value: Any, encoding: str = "json/plain") -> dict[str, Any]:
    """A payload as Protobuf's JSON."""
    data = json.dumps(value, separators=(",", ":")).encode() if value is not None else b""
    name = encoding if value is not None else "binary/null"
    return {"metadata": {"encoding": encoded(name.encode())}, "data": encoded(data)}


def payloads(*values: Any) -> dict[str, Any]:
    """Payloads as Protobuf's JSON."""
    return {"payloads": [payload(value) for value in values]}


def encoded(data: bytes) -> str:
    """Bytes as Protobuf's JSON."""
    return base64.b64encode(data).decode()


class HistoryDocument:
    """Events that are added one by one, 10 ms apart; `document` is the Web UI's download.

    Args:
        number: A digit that makes the run id.
    """

    def __init__(self, workflow_id: str = "order-1", kind: str = "Order", *values: Any, number: int = 1) -> None:
        self.events: list[dict[str, Any]] = []
        self.at = START
        self.run_id = f"{RUN}{number}"
        self.add(
            "WorkflowExecutionStarted",
            workflowType={"name": kind},
            workflowId=workflow_id,
            taskQueue={"name": "shop", "kind": "TASK_QUEUE_KIND_NORMAL"},
            input=payloads(*values),
            originalExecutionRunId=self.run_id,
            firstExecutionRunId=self.run_id,
            attempt=1,
            identity="ann@shop",
        )

    def add(self, name: str, *, after: float = 0.01, **attributes: Any) -> int:
        """Add an event; its id. `after`: seconds since the event before it."""
        number = len(self.events) + 1
        self.at += timedelta(seconds=after if self.events else 0)
        field = name[0].lower() + name[1:] + "EventAttributes"
        kind = "EVENT_TYPE_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper()
        time = self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        meta = {"userMetadata": attributes.pop("userMetadata")} if "userMetadata" in attributes else {}
        self.events.append(
            {
                "eventId": str(number),
                "eventTime": time,
                "eventType": kind,
                "taskId": str(number),
                **meta,
                field: attributes,
            }
        )
        return number

    def task(self, **completed: Any) -> int:
        """Add a workflow task that completes; the id of its last event."""
        scheduled = self.add("WorkflowTaskScheduled", taskQueue={"name": "shop"}, attempt=1)
        started = self.add("WorkflowTaskStarted", scheduledEventId=str(scheduled), identity="7@worker")
        return self.add(
            "WorkflowTaskCompleted", scheduledEventId=str(scheduled), startedEventId=str(started), **completed
        )

    def marker(self, name: str, details: dict[str, Any], **attributes: Any) -> int:
        """Add a marker; its id."""
        return self.add("MarkerRecorded", markerName=name, details=details, **attributes)

    def activity(self, name: str, *values: Any, result: Any = None, failure: dict[str, Any] | None = None) -> None:
        """Add an activity that ends."""
        kind: dict[str, Any] = {
            "activityId": str(len(self.events) + 1),
            "activityType": {"name": name},
            "taskQueue": {"name": "shop"},
        }
        scheduled = self.add("ActivityTaskScheduled", input=payloads(*values), **kind)
        started = self.add("ActivityTaskStarted", scheduledEventId=str(scheduled), attempt=1, identity="7@worker")
        ids: dict[str, Any] = {"scheduledEventId": str(scheduled), "startedEventId": str(started)}
        if failure is None:
            self.add("ActivityTaskCompleted", result=payloads(result), **ids)
        else:
            self.add("ActivityTaskFailed", failure=failure, **ids)

    def completed(self, result: Any = None) -> HistoryDocument:
        """Close the workflow; the document itself."""
        self.add("WorkflowExecutionCompleted", result=payloads(result))
        return self

    def failed(self, failure: dict[str, Any]) -> HistoryDocument:
        """Fail the workflow; the document itself."""
        self.add("WorkflowExecutionFailed", failure=failure)
        return self

    @property
    def document(self) -> dict[str, Any]:
        """The Web UI's download."""
        return {"events": self.events}

    @property
    def data(self) -> bytes:
        """The document as the content of a file."""
        return json.dumps(self.document).encode()


def order() -> HistoryDocument:
    """An order with an activity that fails, a timer and a result."""
    history = HistoryDocument("order-1", "Order", {"item": "tea", "count": 2})
    history.task()
    history.activity("charge", 12.5, failure=failure("no funds", "CardDeclined"))
    timer = history.add("TimerStarted", timerId="1", startToFireTimeout="60s")
    history.add("TimerFired", after=60, timerId="1", startedEventId=str(timer))
    history.activity("ship", "tea", result="sent")
    return history.completed("done")


def failure(message: str, kind: str = "", **more: Any) -> dict[str, Any]:
    """An application's failure."""
    return {"message": message, "applicationFailureInfo": {"type": kind}, **more}


def of_2020(document: Any) -> Any:
    """The document with enums as SDKs wrote them in 2020: `ActivityTaskScheduled`, `Normal`."""
    if isinstance(document, dict):
        return {key: of_2020(value) for key, value in document.items()}
    if isinstance(document, list):
        return [of_2020(value) for value in document]
    if isinstance(document, str) and re.fullmatch("(EVENT_TYPE|TASK_QUEUE_KIND)_[A-Z_]+", document):
        words = re.sub("^(EVENT_TYPE|TASK_QUEUE_KIND)_", "", document).split("_")
        return "".join(word.capitalize() for word in words)
    return document


def in_snake_case(document: Any) -> Any:
    """The document with the keys of Protobuf's own names: `event_id`."""
    if isinstance(document, dict):
        return {
            re.sub("(?<=[a-z0-9])(?=[A-Z])", "_", key).lower(): in_snake_case(value) for key, value in document.items()
        }
    return [in_snake_case(value) for value in document] if isinstance(document, list) else document

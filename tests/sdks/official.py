"""What the official CLI says of a workflow, as the fields that `devserver trace --json` has for each step.

It reads the events of `temporal workflow show --output json` one by one, and shares no code with the package.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Event = Mapping[str, Any]
Step = dict[str, Any]

# Events that end a step that another event began, with its status: the key of the first event, its attributes.
ENDS = {
    "ACTIVITY_TASK_COMPLETED": ("scheduledEventId", "completed"),
    "ACTIVITY_TASK_FAILED": ("scheduledEventId", "failed"),
    "ACTIVITY_TASK_CANCELED": ("scheduledEventId", "canceled"),
    "TIMER_FIRED": ("startedEventId", "completed"),
    "TIMER_CANCELED": ("startedEventId", "canceled"),
    "CHILD_WORKFLOW_EXECUTION_COMPLETED": ("initiatedEventId", "completed"),
    "NEXUS_OPERATION_COMPLETED": ("scheduledEventId", "completed"),
    "NEXUS_OPERATION_FAILED": ("scheduledEventId", "failed"),
    "WORKFLOW_EXECUTION_UPDATE_COMPLETED": ("acceptedEventId", "completed"),
}


@dataclass(frozen=True)
class OfficialCli:
    """The official CLI with a server."""

    binary: Path
    address: str

    def __call__(self, *words: str) -> Any:
        """The JSON that a command prints."""
        return json.loads(self.text(*words, "--output", "json"))

    def text(self, *words: str) -> str:
        """What a command prints."""
        command = [str(self.binary), *words, "--address", self.address]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    def events(self, workflow_id: str) -> list[Event]:
        """The events of a workflow."""
        found: list[Event] = self("workflow", "show", "--workflow-id", workflow_id)["events"]
        return found


def attributes_of(event: Event) -> Mapping[str, Any]:
    """The attributes of an event."""
    (found,) = [value for key, value in event.items() if key.endswith("EventAttributes")]
    return dict(found)


def texts(payloads: Any) -> list[str]:
    """Payloads as JSON texts."""
    return [text(payload) for payload in (payloads or {}).get("payloads", ())]


def text(payload: Mapping[str, Any]) -> str:
    """A payload as JSON text."""
    return json.dumps(json.loads(base64.b64decode(payload["data"])))


def microseconds(time: str) -> str:
    """A time of the CLI, which has up to nanoseconds, as `trace --json` writes it."""
    whole, _, rest = time.removesuffix("Z").partition(".")
    return f"{whole}.{rest[:6]:0<6}Z"


def steps(events: Sequence[Event]) -> list[Step]:
    """The steps of a history in the order of their first events, with the fields that the history has."""
    found: dict[str, Step] = {}
    fails = False
    for event in events:
        kind = event["eventType"].removeprefix("EVENT_TYPE_")
        if kind == "WORKFLOW_TASK_FAILED" and not fails:  # as on a machine that is too busy for the SDK
            found[event["eventId"]] = {**_common(event), "kind": "workflow_task_failure", "status": "open"}
            del found[event["eventId"]]["last_failure"]
        fails = kind == "WORKFLOW_TASK_FAILED" or (fails and kind != "WORKFLOW_TASK_COMPLETED")
        begin = BEGINS.get(kind)
        if begin is not None:
            found[event["eventId"]] = {**_common(event), **begin(event, attributes_of(event))}
        elif kind in ENDS:
            _end(found, event, *ENDS[kind])
        elif kind == "ACTIVITY_TASK_STARTED":
            _start(found, event)
        elif kind == "CHILD_WORKFLOW_EXECUTION_STARTED":
            step = found[attributes_of(event)["initiatedEventId"]]
            step["target"] |= {"run_id": attributes_of(event)["workflowExecution"]["runId"]}
            step["started_event_id"] = int(event["eventId"])
            step["started"] = microseconds(event["eventTime"])
    close = events[-1]
    for step in found.values():
        if (
            step["kind"] != "workflow_task_failure"
            and step["status"] == "open"
            and close["eventType"].startswith("EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED")
        ):
            step |= _closed(close, "unfinished")
    return list(found.values())


def _common(event: Event) -> Step:
    nothing: Step = {
        "input": [],
        "result": [],
        "values": {},
        "last_failure": None,
        "failure_details": [],
        "target": None,
    }
    return {
        **nothing,
        "event_id": int(event["eventId"]),
        "scheduled": microseconds(event["eventTime"]),
        "note": _note(event),
    }


def _note(event: Event) -> str:
    summary = event.get("userMetadata", {}).get("summary")
    return text(summary) if summary else ""


def _closed(event: Event, status: str) -> Step:
    return {
        "status": status,
        "closed_event_id": int(event["eventId"]),
        "closed": microseconds(event["eventTime"]),
    }


def _start(found: dict[str, Step], event: Event) -> None:
    attributes = attributes_of(event)
    step = found[attributes["scheduledEventId"]]
    step |= {
        "started_event_id": int(event["eventId"]),
        "started": microseconds(event["eventTime"]),
        "attempts": attributes["attempt"],
        "identity": attributes["identity"],
    }
    if "lastFailure" in attributes:
        step |= _failure(attributes["lastFailure"])


def _failure(failure: Mapping[str, Any]) -> Step:
    info = failure["applicationFailureInfo"]
    return {
        "last_failure": f"{info['type']}: {failure['message']}",
        "failure_details": texts(info.get("details")),
        "non_retryable": info.get("nonRetryable", False),
    }


def _end(found: dict[str, Step], event: Event, key: str, status: str) -> None:
    attributes = attributes_of(event)
    step = found[attributes[key]]
    step |= _closed(event, status)
    if "result" in attributes:
        step["result"] = texts(attributes["result"])
    if "outcome" in attributes:
        step["result"] = texts(attributes["outcome"]["success"])
    if "failure" in attributes:
        step |= _failure(attributes["failure"])
        step["retry_state"] = re.sub("^RETRY_STATE_", "", attributes["retryState"]).replace("_", " ").lower()


def _activity(_: Event, attributes: Mapping[str, Any]) -> Step:
    return {
        "kind": "activity",
        "name": attributes["activityType"]["name"],
        "id": attributes["activityId"],
        "status": "open",
        "input": texts(attributes["input"]),
        "task_queue": attributes["taskQueue"]["name"],
    }


def _timer(_: Event, attributes: Mapping[str, Any]) -> Step:
    seconds = float(attributes["startToFireTimeout"].removesuffix("s"))
    return {"kind": "timer", "id": attributes["timerId"], "status": "open", "timer_seconds": seconds}


def _child(_: Event, attributes: Mapping[str, Any]) -> Step:
    return {
        "kind": "child",
        "name": attributes["workflowType"]["name"],
        "id": attributes["workflowId"],
        "status": "open",
        "input": texts(attributes["input"]),
        "task_queue": attributes["taskQueue"]["name"],
        "target": {"workflow_id": attributes["workflowId"], "namespace": attributes["namespace"]},
    }


def _signal(event: Event, attributes: Mapping[str, Any]) -> Step:
    return {
        **_closed(event, "completed"),
        "kind": "signal",
        "name": attributes["signalName"],
        "input": texts(attributes["input"]),
        "identity": attributes["identity"],
    }


def _update(_: Event, attributes: Mapping[str, Any]) -> Step:
    request = attributes["acceptedRequest"]
    return {
        "kind": "update",
        "name": request["input"]["name"],
        "id": request["meta"]["updateId"],
        "status": "open",
        "input": texts(request["input"]["args"]),
        "identity": request["meta"]["identity"],
    }


def _search_attributes(event: Event, attributes: Mapping[str, Any]) -> Step:
    fields = attributes["searchAttributes"]["indexedFields"]
    return {**_closed(event, "completed"), "kind": "marker", "name": "search attributes", "values": _values(fields)}


def _memo(event: Event, attributes: Mapping[str, Any]) -> Step:
    fields = attributes["upsertedMemo"]["fields"]
    return {**_closed(event, "completed"), "kind": "marker", "name": "memo", "values": _values(fields)}


def _values(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: text(payload) for name, payload in fields.items()}


def _marker(event: Event, attributes: Mapping[str, Any]) -> Step:
    """A marker of any SDK; the times of local activities are those of the worker, so only some are compared."""
    details = {key: texts(value) for key, value in attributes["details"].items()}
    name = attributes["markerName"]
    ended = _closed(event, "completed")
    if name == "core_patch":
        return {**ended, "kind": "marker", "name": "patch", "id": json.loads(details["patch-data"][0])["id"]}
    if name == "Version":
        (change,) = details.get("change-id") or details["changeId"]
        (number,) = details["version"]
        return {**ended, "kind": "marker", "name": "version", "id": f"{json.loads(change)} = {number}"}
    if name == "SideEffect":
        return {**ended, "kind": "marker", "name": "side effect", "result": details["data"]}
    if name == "MutableSideEffect":
        key, values = _mutable(details)
        return {**ended, "kind": "marker", "name": "mutable side effect", "id": key, "result": values}
    local = {**ended, "kind": "local_activity", "result": details["result"]}
    del local["closed"]
    if "type" in details:  # Java
        (kind,), (key,) = details["type"], details["activityId"]
        meta = json.loads(details["meta"][0])
        return {
            **local,
            "name": json.loads(kind),
            "id": json.loads(key),
            "input": details["input"],
            "attempts": meta["atpt"],
            "seconds": None,
        }
    data = {key.lower().replace("_", ""): value for key, value in json.loads(details["data"][0]).items()}
    took = {} if "completetime" in data else {"seconds": None}
    return {**local, "name": data["activitytype"], "id": data["activityid"], "attempts": data["attempt"], **took}


def _mutable(details: Mapping[str, list[str]]) -> tuple[str, list[str]]:
    """The id and the value: Go has both in one."""
    if "id" in details:
        return json.loads(details["id"][0]), details["data"]
    key, value = details["data"]
    return json.loads(key), texts(json.loads(value))


BEGINS: Mapping[str, Callable[[Event, Mapping[str, Any]], Step]] = {
    "ACTIVITY_TASK_SCHEDULED": _activity,
    "TIMER_STARTED": _timer,
    "START_CHILD_WORKFLOW_EXECUTION_INITIATED": _child,
    "WORKFLOW_EXECUTION_SIGNALED": _signal,
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED": _update,
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES": _search_attributes,
    "WORKFLOW_PROPERTIES_MODIFIED": _memo,
    "MARKER_RECORDED": _marker,
}


def differences(official: Sequence[Step], ours: Sequence[Step]) -> Iterator[str]:
    """Each field of the official steps that is other in ours, and steps that are only in one of them."""
    by_event = {step["event_id"]: step for step in ours}
    for step in official:
        other = by_event.pop(step["event_id"], None)
        if other is None:
            yield f"missing: {step}"
            continue
        for field, value in step.items():
            if other[field] != value and not (field == "scheduled" and step["kind"] == "local_activity"):
                yield f"event {step['event_id']}, {field}: {value!r}, but {other[field]!r} is shown"
    yield from (f"not in the history: {step}" for step in by_event.values())

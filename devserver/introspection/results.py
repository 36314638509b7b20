"""What came of a call, and why nothing did: results, failures, refusals, and workers that are not there."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import RawValue
from temporalio.converter import DataConverter
from temporalio.service import RPCError, RPCStatusCode

from ..client.call_errors import call_failed
from ..client.calls import ServiceCalls, still_polls
from ..client.failures import FailureText, failure_text
from ..errors import DevServerError
from .errors import WorkflowCallRefused
from .value_parsing import plain

WORKFLOW_TASKS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
REFUSALS = (
    RPCStatusCode.INVALID_ARGUMENT,
    RPCStatusCode.NOT_FOUND,
    RPCStatusCode.FAILED_PRECONDITION,
    RPCStatusCode.ALREADY_EXISTS,
)


@dataclass(frozen=True)
class WorkflowOutcome:
    """What came of a workflow or an update: its result, or the failure that it ended with."""

    result: RawValue | None = None
    failure: FailureText | None = None


async def outcome(handle: WorkflowHandle[Any, Any], client: Client) -> WorkflowOutcome:
    """Wait for a workflow's end, across continue-as-new and retries.

    Raises:
        CannotAsk: The server gives no answer any more.
    """
    try:
        return WorkflowOutcome(result=await handle.result())
    except WorkflowFailureError as error:
        return WorkflowOutcome(failure=await failure_of(error.cause, client))
    except RPCError as error:
        raise call_failed(client, error) from None
    except Exception as error:
        raise undecoded(error) from error


def undecoded(error: Exception) -> DevServerError:
    """Our error for an answer that came and could not be read: its codec failed, or its payload's file is gone."""
    if isinstance(error, DevServerError):
        return error
    return WorkflowCallRefused(
        f"the answer came, and the module's data converter cannot read it: {type(error).__name__}: {error}",
        hint="see that the module has the codec and the keys of its worker",
    )


async def polls(calls: ServiceCalls, queue: str) -> bool:
    """Whether a worker has asked for workflow tasks of that queue lately."""
    now = datetime.now(timezone.utc)
    found = await calls.pollers(queue, WORKFLOW_TASKS)
    return any(still_polls(each, now) for each in found)


async def failure_of(cause: BaseException, client: Client) -> FailureText:
    """The failure that an error of the SDK has, or one made of what it says."""
    failure = getattr(cause, "failure", None)
    if failure is not None:
        return await failure_text(failure, client.data_converter)
    name = type(cause).__name__.removesuffix("Error")
    line = f"{name}: {cause}"
    return FailureText(line, (line,))


def not_done(client: Client, error: RPCError, what: str) -> DevServerError:
    """Our error for a call that the server refused, or did not answer."""
    if error.status in REFUSALS:
        missing = call_failed(client, error)
        if missing.message.startswith("there is no namespace"):
            return missing
        return WorkflowCallRefused(f"{what}: {error.message}")
    return call_failed(client, error)


MOST_BYTES = 1000


def shown(payload: Payload | None, converter: DataConverter) -> Any:
    """The JSON form of a payload whose codec has been undone already. It never raises."""
    if payload is None:
        return None
    encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace")
    if encoding == "binary/null":
        return None
    try:
        if encoding.startswith("json/"):
            return json.loads(payload.data)
        value = converter.payload_converter.from_payloads([payload])[0]
    except Exception:  # noqa: BLE001 - converters are the user's, and may fail in any way
        return unreadable(payload)
    if isinstance(value, (bytes, bytearray)):
        return _text(bytes(value))
    return plain(value)


def unreadable(payload: Payload) -> str:
    """What is said instead of a value that cannot be decoded."""
    encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace") or "no encoding"
    return f"({len(payload.data)} bytes of {encoding}, which this client cannot read)"


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"({len(data)} bytes)"
    return text if len(text) <= MOST_BYTES else f"{text[:MOST_BYTES]}... ({len(data)} bytes)"

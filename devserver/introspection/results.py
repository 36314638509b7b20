"""Results and failures of calls to a workflow: as values, as JSON, and as errors that say what to do."""

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
    """The result of a workflow or an update, or the failure that it ended with."""

    result: RawValue | None = None
    failure: FailureText | None = None


async def wait_for_outcome(handle: WorkflowHandle[Any, Any], client: Client) -> WorkflowOutcome:
    """Wait until a workflow ends, across continue-as-new and retries.

    Raises:
        CannotAsk: The server no longer answers.
    """
    try:
        return WorkflowOutcome(result=await handle.result())
    except WorkflowFailureError as error:
        return WorkflowOutcome(failure=await failure_of(error.cause, client))
    except RPCError as error:
        raise call_failed(client, error) from None
    except Exception as error:
        raise not_decoded(error) from error


def not_decoded(error: Exception) -> DevServerError:
    """The error for an answer that cannot be decoded: its codec failed, or the file of its payload is missing."""
    if isinstance(error, DevServerError):
        return error
    return WorkflowCallRefused(
        f"the module's data converter cannot decode the answer: {type(error).__name__}: {error}",
        hint="check that the module has the codec and the keys of its worker",
    )


async def has_poller(calls: ServiceCalls, queue: str) -> bool:
    """Whether a worker has polled workflow tasks of the task queue within the last 90 seconds."""
    now = datetime.now(timezone.utc)
    pollers = await calls.pollers(queue, WORKFLOW_TASKS)
    return any(still_polls(poller, now) for poller in pollers)


async def failure_of(cause: BaseException, client: Client) -> FailureText:
    """The failure of an error of the SDK; if it has none, its message."""
    failure = getattr(cause, "failure", None)
    if failure is not None:
        return await failure_text(failure, client.data_converter)
    name = type(cause).__name__.removesuffix("Error")
    line = f"{name}: {cause}"
    return FailureText(line, (line,))


def refusal(client: Client, error: RPCError, message: str) -> DevServerError:
    """The error for a call that the server refused (`message` and its reason) or did not answer."""
    if error.status in REFUSALS:
        missing = call_failed(client, error)
        if missing.message.startswith("there is no namespace"):
            return missing
        return WorkflowCallRefused(f"{message}: {error.message}")
    return call_failed(client, error)


MAX_CHARACTERS = 1000


def payload_json(payload: Payload | None, converter: DataConverter) -> Any:
    """The value of a payload, already decoded by its codec, as JSON has it; never raises."""
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
        return _unreadable(payload)
    if isinstance(value, (bytes, bytearray)):
        return _text(bytes(value))
    return plain(value)


def _unreadable(payload: Payload) -> str:
    """A text in place of a value that cannot be decoded."""
    encoding = payload.metadata.get("encoding", b"").decode("ascii", "replace") or "no encoding"
    return f"({len(payload.data)} bytes of {encoding}, which this client cannot read)"


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return f"({len(data)} bytes)"
    return text if len(text) <= MAX_CHARACTERS else f"{text[:MAX_CHARACTERS]}... ({len(data)} bytes)"

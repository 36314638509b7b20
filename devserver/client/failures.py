"""Failures of the Temporal API as text. The one place that decides which failure of a chain is shown.

The rule: **the failure shown for a chain is its root cause, the last failure of the chain that has a message.** The
failures around it (an activity, child workflow or Nexus operation failed; an exception was raised from another) say
where it passed through. They are in the full text, which begins with the outermost failure, as Temporal stores it.

- `failure_line`: the root cause as one line, `CardDeclined: no funds`.
- `failure_text`: that line, and the whole chain with stack traces.
- `root_cause`, `failure_type`, `summary`: the same without a data converter, for failures that are not encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from temporalio.api.failure.v1 import Failure

from ..errors import DevServerError

if TYPE_CHECKING:
    from temporalio.converter import DataConverter

MAX_CAUSES = 10
MAX_LINE = 300
MAX_LINES = 200
MAX_TEXT = 2000
MAX_REASON = 200
ENCODED = "(encoded:"
UNREADABLE = f"{ENCODED} this client has no codec that reads it)"
# The SDK's exception classes for failures that are not an application's.
EXCEPTIONS = {
    "timeout_failure_info": "TimeoutError",
    "canceled_failure_info": "CancelledError",
    "terminated_failure_info": "TerminatedError",
    "server_failure_info": "ServerError",
    "reset_workflow_failure_info": "ApplicationError",
    "activity_failure_info": "ActivityError",
    "child_workflow_execution_failure_info": "ChildWorkflowError",
    "nexus_operation_execution_failure_info": "NexusOperationError",
    "nexus_handler_failure_info": "HandlerError",
}


@dataclass(frozen=True)
class FailureText:
    """A failure as text.

    Attributes:
        line: Type and message of the root cause in one line of at most 300 characters.
        lines: The whole chain, the outermost failure first: messages and stack traces; at most 200 lines of at most
            2,000 characters.
    """

    line: str
    lines: tuple[str, ...]


async def failure_text(
    failure: Failure, converter: DataConverter, *, stack_lines: Callable[[str], list[str]] = str.splitlines
) -> FailureText:
    """A failure with its causes; never raises. What cannot be decoded is shown as encoded.

    Args:
        stack_lines: The lines of a stack trace that are shown.
    """
    lines: list[str] = []
    for depth, part in enumerate(chain(failure)):
        if depth == MAX_CAUSES:
            break
        decoded = await _decoded(part, converter)
        first, *rest = summary(decoded).splitlines()
        lines += [f"caused by {first}" if depth else first, *rest]
        lines += [f"  {line}" for line in stack_lines(decoded.stack_trace) if line.strip()]
    return FailureText(
        await failure_line(failure, converter), tuple(_cut(line, MAX_TEXT) for line in lines[:MAX_LINES])
    )


async def failure_line(failure: Failure, converter: DataConverter) -> str:
    """The root cause of a failure in one line; never raises."""
    return _one_line(summary(await _decoded(root_cause(failure), converter)))


def chain(failure: Failure) -> Iterator[Failure]:
    """The failure and its causes, the outermost first."""
    yield failure
    while failure.HasField("cause"):
        failure = failure.cause
        yield failure


def root_cause(failure: Failure) -> Failure:
    """The failure that is shown for a chain, by the rule above; the last one if none has a message."""
    parts = list(chain(failure))
    return next((part for part in reversed(parts) if _says_something(part)), parts[-1])


def failure_type(failure: Failure) -> str:
    """The type of a failure: an application's own (`CardDeclined`), or the SDK's exception class (`ActivityError`)."""
    return EXCEPTIONS.get(failure.WhichOneof("failure_info") or "") or failure.application_failure_info.type


def summary(failure: Failure) -> str:
    """One failure without its causes: `CardDeclined: no funds`, `activity charge: Activity task failed`."""
    kind = _kind(failure)
    message = failure.message.strip() or "(no message)"
    return message if not kind or message.startswith(f"{kind}:") else f"{kind}: {message}"


def _kind(failure: Failure) -> str:
    info = failure.WhichOneof("failure_info") or ""
    match info:
        case "application_failure_info":
            return failure.application_failure_info.type
        case "activity_failure_info":
            return f"activity {failure.activity_failure_info.activity_type.name}".strip()
        case "child_workflow_execution_failure_info":
            child = failure.child_workflow_execution_failure_info
            return f"child workflow {child.workflow_execution.workflow_id}".strip()
    return info.removesuffix("_failure_info").replace("_", " ")


def _says_something(failure: Failure) -> bool:
    return bool(failure.message.strip()) or failure.HasField("encoded_attributes")


def reason(error: Exception) -> str:
    """Why a codec failed, in one line."""
    text = " ".join((error.message if isinstance(error, DevServerError) else str(error)).split())
    name = "" if isinstance(error, DevServerError) else type(error).__name__
    return ": ".join(part for part in (name, text) if part)


def _one_line(text: str) -> str:
    return _cut(" ".join(text.split()), MAX_LINE)


def _cut(text: str, most: int) -> str:
    """The text, or its beginning and its size."""
    if len(text) <= most:
        return text
    size = f"... ({len(text):,} characters)"
    return text[: most - len(size)] + size


async def _decoded(failure: Failure, converter: DataConverter) -> Failure:
    """The failure without its causes, its message and stack trace decoded if they are encoded."""
    if not failure.HasField("encoded_attributes"):
        return failure
    copy = Failure()
    copy.CopyFrom(failure)
    copy.ClearField("cause")
    try:
        if converter.payload_codec is not None:
            await converter.payload_codec.decode_failure(copy)
        attributes = converter.payload_converter.from_payloads([copy.encoded_attributes])[0]
        copy.message, copy.stack_trace = str(attributes["message"]), str(attributes.get("stack_trace", ""))
    except Exception as error:  # noqa: BLE001 - codecs and converters are the user's, and may fail in any way
        why = UNREADABLE if converter.payload_codec is None else f"{ENCODED} {_cut(reason(error), MAX_REASON)})"
        copy.message, copy.stack_trace = why, ""
    return copy

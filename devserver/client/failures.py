"""Failures as Temporal keeps them, as text: one line for a list, all lines for who wants to know."""

from __future__ import annotations

from dataclasses import dataclass

from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter

MOST_CAUSES = 10
MOST_LINE = 300
MOST_LINES = 200
UNREADABLE = "(encoded: this client has no codec that reads it)"


@dataclass(frozen=True)
class FailureText:
    """A failure's type and message in `line`; in `lines` the whole message, its stack trace and its causes."""

    line: str
    lines: tuple[str, ...]


async def failure_text(failure: Failure, converter: DataConverter) -> FailureText:
    """The failure and its causes, the outermost first. What cannot be decoded is shown as such."""
    lines: list[str] = []
    first = ""
    current: Failure | None = failure
    for depth in range(MOST_CAUSES):
        if current is None:
            break
        readable = await _readable(current, converter)
        summary = _summary(readable)
        first = first or summary
        lines += [("caused by " if depth else "") + summary.splitlines()[0], *summary.splitlines()[1:]]
        lines += [f"  {line}" for line in readable.stack_trace.splitlines() if line.strip()]
        current = current.cause if current.HasField("cause") else None
    return FailureText(_one_line(first), tuple(lines[:MOST_LINES]))


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= MOST_LINE else words[: MOST_LINE - 3] + "..."


def _summary(failure: Failure) -> str:
    """Its type and message, without its causes."""
    info = failure.WhichOneof("failure_info") or ""
    kind = failure.application_failure_info.type
    if info != "application_failure_info":
        kind = info.removesuffix("_failure_info").replace("_", " ")
    message = failure.message.strip() or "(no message)"
    return message if not kind or message.startswith(f"{kind}:") else f"{kind}: {message}"


async def _readable(failure: Failure, converter: DataConverter) -> Failure:
    """The failure with its message decoded, where it is encoded."""
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
    except Exception:  # noqa: BLE001 - codecs and converters are the user's, and may fail in any way
        copy.message, copy.stack_trace = UNREADABLE, ""
    return copy


# Failures that only say which part of a workflow failed; what happened is in their cause.
_WRAPPERS = (
    "activity_failure_info",
    "child_workflow_execution_failure_info",
    "nexus_operation_execution_failure_info",
)


async def failure_line(failure: Failure, converter: DataConverter) -> str:
    """One line of what happened: of the first failure that is not merely about a failed activity or child."""
    for _ in range(MOST_CAUSES):
        if failure.WhichOneof("failure_info") not in _WRAPPERS or not failure.HasField("cause"):
            break
        failure = failure.cause
    return (await failure_text(failure, converter)).line

"""Failures as text: one line for a list, all lines for details, also for unusual failures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure, TimeoutFailureInfo
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.exceptions import ApplicationError

from devserver.client.failures import FailureText, chain, failure_text, failure_type, root_cause


class Reversing(PayloadCodec):
    """A codec that reverses payloads."""

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Reverse the payloads."""
        return [
            Payload(metadata={"encoding": b"reversed"}, data=payload.SerializeToString()[::-1]) for payload in payloads
        ]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Reverse them again."""
        return [Payload.FromString(payload.data[::-1]) for payload in payloads]


def text_of(failure: Failure, converter: DataConverter = DataConverter.default) -> FailureText:
    """Return the failure as text."""
    return asyncio.run(failure_text(failure, converter))


def application(message: str, kind: str = "ValueError", **more: object) -> Failure:
    """Return a failure of user code."""
    return Failure(message=message, application_failure_info=ApplicationFailureInfo(type=kind), **more)  # type: ignore[arg-type] # fields of a message


def test_one_line_and_all_lines() -> None:
    """The one line is the root cause; all lines start with the outermost failure, each with its stack trace."""
    cause = application("no space\nleft", "OSError")
    text = text_of(application("cannot\nwrite", stack_trace='  File "a.py", line 3\n    raise\n', cause=cause))
    assert text.line == "OSError: no space left"
    assert text.lines == (
        "ValueError: cannot",
        "write",
        '    File "a.py", line 3',
        "      raise",
        "caused by OSError: no space",
        "left",
    )


def test_long_and_empty_messages() -> None:
    """A long message is cut with its size, sooner in the one line; a missing message is marked."""
    text = text_of(application("x" * 1000))
    assert (len(text.line), text.line[-22:], len(text.lines[0])) == (300, "... (1,012 characters)", 1012)
    text = text_of(application("x" * 500_000))
    assert (len(text.line), len(text.lines[0])) == (300, 2000)
    assert text.lines[0].endswith("xxx... (500,012 characters)")
    assert text_of(Failure()).line == "(no message)"
    assert text_of(Failure(timeout_failure_info=TimeoutFailureInfo())).line == "timeout: (no message)"


def test_encoded_failures() -> None:
    """With the codec failures are decoded; without it they are marked as encoded."""
    converter = replace(
        DataConverter.default,
        payload_codec=Reversing(),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    failure = Failure()
    asyncio.run(converter.encode_failure(ApplicationError("the secret", type="Secret"), failure))
    assert failure.message == "Encoded failure"
    assert text_of(failure, converter).line == "Secret: the secret"
    unread = text_of(failure)
    assert unread.line == "Secret: (encoded: this client has no codec that reads it)"
    assert unread.lines == (unread.line,)


def test_the_root_cause_is_shown() -> None:
    """Wrapping failures (activity, child workflow, Nexus operation) are skipped, and so are causes without a
    message."""
    refused = application("op refused", "Refused")
    nexus = Failure(message="nexus operation completed unsuccessfully", cause=Failure(cause=refused))
    nexus.nexus_operation_execution_failure_info.operation = "charge"
    assert text_of(nexus).line == "Refused: op refused"
    child = Failure(message="Child Workflow execution failed", cause=nexus)
    child.child_workflow_execution_failure_info.workflow_execution.workflow_id = "order-1"
    assert text_of(child).line == "Refused: op refused"
    silent = Failure(message="Activity task failed", cause=Failure(application_failure_info=ApplicationFailureInfo()))
    silent.activity_failure_info.activity_type.name = "charge"
    assert text_of(silent).line == text_of(silent).lines[0] == "activity charge: Activity task failed"
    assert root_cause(child) == refused
    assert [failure_type(part) for part in chain(child)] == ["ChildWorkflowError", "NexusOperationError", "", "Refused"]


def test_stack_traces_can_be_filtered() -> None:
    """The caller selects lines of a stack trace; empty lines are dropped."""
    failure = application("broken", stack_trace="sdk\nuser\n\n")
    text = asyncio.run(failure_text(failure, DataConverter.default, stack_lines=lambda stack: stack.splitlines()[1:]))
    assert text.lines == ("ValueError: broken", "  user")

"""Failures as text: one line for a list, all of it for who wants to know, and nothing that breaks on strange ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure, TimeoutFailureInfo
from temporalio.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes, PayloadCodec
from temporalio.exceptions import ApplicationError

from devserver.client.failures import FailureText, failure_text


class Reversing(PayloadCodec):
    """A codec that hides what it encodes from who does not have it."""

    async def encode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Turned round."""
        return [Payload(metadata={"encoding": b"reversed"}, data=each.SerializeToString()[::-1]) for each in payloads]

    async def decode(self, payloads: Iterable[Payload]) -> list[Payload]:
        """Turned back."""
        return [Payload.FromString(each.data[::-1]) for each in payloads]


def told(failure: Failure, converter: DataConverter = DataConverter.default) -> FailureText:
    """The failure as text."""
    return asyncio.run(failure_text(failure, converter))


def application(message: str, kind: str = "ValueError", **more: object) -> Failure:
    """A failure of user code."""
    return Failure(message=message, application_failure_info=ApplicationFailureInfo(type=kind), **more)  # type: ignore[arg-type] # fields of a message


def test_one_line_and_all_lines() -> None:
    """Line breaks become blanks in the one line; causes and the stack follow in the other."""
    cause = application("no space left", "OSError")
    text = told(application("cannot\nwrite", stack_trace='  File "a.py", line 3\n    raise\n', cause=cause))
    assert text.line == "ValueError: cannot write"
    assert text.lines == (
        "ValueError: cannot",
        "write",
        '    File "a.py", line 3',
        "      raise",
        "caused by OSError: no space left",
    )


def test_long_and_empty_ones() -> None:
    """A long message is cut in the line only; one without a message says so."""
    text = told(application("x" * 1000))
    assert (len(text.line), text.line[-3:], len(text.lines[0])) == (300, "...", 1012)
    assert told(Failure()).line == "(no message)"
    assert told(Failure(timeout_failure_info=TimeoutFailureInfo())).line == "timeout: (no message)"


def test_encoded_failures() -> None:
    """With the codec they are read; without it they are shown as encoded, and nothing crashes."""
    converter = replace(
        DataConverter.default,
        payload_codec=Reversing(),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    failure = Failure()
    asyncio.run(converter.encode_failure(ApplicationError("the secret", type="Secret"), failure))
    assert failure.message == "Encoded failure"
    assert told(failure, converter).line == "Secret: the secret"
    unread = told(failure)
    assert unread.line == "Secret: (encoded: this client has no codec that reads it)"
    assert unread.lines == (unread.line,)

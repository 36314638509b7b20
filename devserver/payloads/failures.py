"""How a lost or too large payload fails an activity or a workflow: at once, without a retry.

Temporal retries a failing workflow task forever, and an activity without a limit too. But a missing, corrupt or too
large payload will never be right, so it fails the activity or workflow. When arguments cannot be decoded, the SDK does
so only for an `ApplicationError`: these errors are both, and `PayloadFailureConverter` finds them in the SDK's own.
"""

from __future__ import annotations

import copy
import functools
from typing import Any, cast

from temporalio.api.failure.v1 import Failure
from temporalio.converter import FailureConverter, PayloadConverter, SerializationContext, WithSerializationContext
from temporalio.exceptions import ApplicationError

from .errors import PayloadCorrupt, PayloadError, PayloadMissing, PayloadTooLarge

DECODING_FAILED = "Failed decoding"  # how the SDK's message begins


class NonRetryableFailure(ApplicationError):
    """A payload error as a non-retryable failure; its message has the whole text of the error, with the hint."""

    def __init__(self, error: PayloadError) -> None:
        self._text = "; ".join([error.message, *error.details, *([f"hint: {error.hint}"] if error.hint else [])])
        super().__init__(self._text, type=type(error).__name__, non_retryable=True)
        self.error = error

    @property
    def message(self) -> str:
        """The text of the error on one line, for the history."""
        return self._text

    @message.setter
    def message(self, value: str) -> None:
        """Ignored: a base class sets it."""

    @property
    def details(self) -> tuple[()]:
        """Empty: the details are in the message, which the Web UI and the CLI show."""
        return ()

    @details.setter
    def details(self, value: object) -> None:
        """Ignored: a base class sets it."""

    def __reduce__(self) -> tuple[type[NonRetryableFailure], tuple[PayloadError]]:
        return type(self), (self.error,)

    def __str__(self) -> str:
        return self._text


class PayloadMissingFailure(NonRetryableFailure, PayloadMissing):  # type: ignore[misc]
    """A payload is not in the folder."""


class PayloadCorruptFailure(NonRetryableFailure, PayloadCorrupt):  # type: ignore[misc]
    """A payload is not what was stored."""


class PayloadTooLargeFailure(NonRetryableFailure, PayloadTooLarge):  # type: ignore[misc]
    """A payload is larger than the limit."""


_FAILURES: dict[type[PayloadError], type[NonRetryableFailure]] = {
    PayloadMissing: PayloadMissingFailure,
    PayloadCorrupt: PayloadCorruptFailure,
    PayloadTooLarge: PayloadTooLargeFailure,
}


def to_failure(error: PayloadError) -> Exception:
    """The error to raise to Temporal; one that a retry may resolve, such as a full disk, is returned unchanged."""
    failure = _FAILURES.get(type(error))
    return error if failure is None else failure(error)


def with_payload_failures(inner: type[FailureConverter]) -> type[FailureConverter]:
    """A failure converter class that uses `inner`, for a data converter."""
    return cast("type[FailureConverter]", functools.partial(PayloadFailureConverter, inner))


def without_payload_failures(outer: type[FailureConverter]) -> type[FailureConverter]:
    """The `inner` class of `with_payload_failures`; any other class is returned unchanged."""
    partial: Any = outer
    is_ours = isinstance(partial, functools.partial) and partial.func is PayloadFailureConverter
    return partial.args[0] if is_ours else outer


class PayloadFailureConverter(FailureConverter, WithSerializationContext):
    """Converts with `inner`. If arguments could not be decoded because of a payload error, that error is the failure.

    Without this the SDK retries the activity forever, with a message that does not name the reason.
    """

    def __init__(self, inner: type[FailureConverter]) -> None:
        super().__init__()
        self._inner = inner()

    def with_context(self, context: SerializationContext) -> PayloadFailureConverter:
        """The converter for one workflow or activity."""
        if not isinstance(self._inner, WithSerializationContext):
            return self
        other = copy.copy(self)
        other._inner = self._inner.with_context(context)
        return other

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Convert an exception to a failure."""
        cause = exception.__cause__
        undecoded = isinstance(exception, ApplicationError) and exception.message.startswith(DECODING_FAILED)
        raised = cause if undecoded and isinstance(cause, NonRetryableFailure) else exception
        self._inner.to_failure(raised, payload_converter, failure)

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """Convert a failure to an exception."""
        return self._inner.from_failure(failure, payload_converter)

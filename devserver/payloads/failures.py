"""How a payload that is lost or too large reaches whoever waits: as a failure that Temporal does not retry.

A failing workflow task is retried for ever, and so is an activity without a limit. What is gone, damaged or too large
stays so: it fails the activity or the workflow at once. Where arguments cannot be read the SDK does this for an
`ApplicationError` only: these errors are of that class and of ours.
"""

from __future__ import annotations

import copy
import functools
from typing import Any, cast

from temporalio.api.failure.v1 import Failure
from temporalio.converter import FailureConverter, PayloadConverter, SerializationContext, WithSerializationContext
from temporalio.exceptions import ApplicationError

from .errors import PayloadCorrupt, PayloadError, PayloadMissing, PayloadTooLarge


class NonRetryableFailure(ApplicationError):
    """Takes one of our errors; its whole text, with the hint, is the failure's message in Temporal."""

    def __init__(self, error: PayloadError) -> None:
        self._text = "; ".join([error.message, *error.details, *([f"hint: {error.hint}"] if error.hint else [])])
        super().__init__(self._text, type=type(error).__name__, non_retryable=True)
        self.error = error

    @property
    def message(self) -> str:
        """What Temporal keeps: the whole text, on one line."""
        return self._text

    @message.setter
    def message(self, value: str) -> None:
        """The text is made once; a base class sets what it was given."""

    @property
    def details(self) -> tuple[()]:
        """None: they are in the message, where the Web UI and the CLI show them."""
        return ()

    @details.setter
    def details(self, value: object) -> None:
        """See `message`."""

    def __reduce__(self) -> tuple[type[NonRetryableFailure], tuple[PayloadError]]:
        return (type(self), (self.error,))

    def __str__(self) -> str:
        return self._text


class PayloadMissingFailure(NonRetryableFailure, PayloadMissing):  # type: ignore[misc]
    """A payload is not there."""


class PayloadCorruptFailure(NonRetryableFailure, PayloadCorrupt):  # type: ignore[misc]
    """A payload is not what was stored."""


class PayloadTooLargeFailure(NonRetryableFailure, PayloadTooLarge):  # type: ignore[misc]
    """A payload is larger than one may be."""


_FINAL: dict[type[PayloadError], type[NonRetryableFailure]] = {
    PayloadMissing: PayloadMissingFailure,
    PayloadCorrupt: PayloadCorruptFailure,
    PayloadTooLarge: PayloadTooLargeFailure,
}


def to_failure(error: PayloadError) -> Exception:
    """The error as Temporal should take it; one that may be over the next time (a full disk) stays as it is."""
    final = _FINAL.get(type(error))
    return error if final is None else final(error)


UNDECODED = "Failed decoding"


def with_payload_failures(inner: type[FailureConverter]) -> type[FailureConverter]:
    """What to use in the place of the failure converter class `inner`."""
    return cast("type[FailureConverter]", functools.partial(PayloadFailureConverter, inner))


def without_payload_failures(made: type[FailureConverter]) -> type[FailureConverter]:
    """The class that was given to `with_final_failures`."""
    partial: Any = made
    return (
        partial.args[0] if isinstance(partial, functools.partial) and partial.func is PayloadFailureConverter else made
    )


class PayloadFailureConverter(FailureConverter, WithSerializationContext):
    """The converter `inner`; where the SDK could not decode arguments because of us, our failure is the activity's."""

    def __init__(self, inner: type[FailureConverter]) -> None:
        super().__init__()
        self._inner = inner()

    def with_context(self, context: SerializationContext) -> PayloadFailureConverter:
        """The same for one workflow or activity."""
        if not isinstance(self._inner, WithSerializationContext):
            return self
        other = copy.copy(self)
        other._inner = self._inner.with_context(context)
        return other

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """As the converter below does."""
        cause = exception.__cause__
        undecoded = isinstance(exception, ApplicationError) and exception.message.startswith(UNDECODED)
        self._inner.to_failure(
            cause if undecoded and isinstance(cause, NonRetryableFailure) else exception, payload_converter, failure
        )

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """As the converter below does."""
        return self._inner.from_failure(failure, payload_converter)

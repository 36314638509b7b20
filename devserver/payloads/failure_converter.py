"""Has an activity fail at once whose arguments are lost: the SDK would try it again for ever, without saying why."""

from __future__ import annotations

import copy
import functools
from typing import Any, cast

from temporalio.api.failure.v1 import Failure
from temporalio.converter import FailureConverter, PayloadConverter, SerializationContext, WithSerializationContext
from temporalio.exceptions import ApplicationError

from .failures import Final

UNDECODED = "Failed decoding"


def with_final_failures(inner: type[FailureConverter]) -> type[FailureConverter]:
    """What to use in the place of the failure converter class `inner`."""
    return cast("type[FailureConverter]", functools.partial(FinalFailureConverter, inner))


def without_final_failures(made: type[FailureConverter]) -> type[FailureConverter]:
    """The class that was given to `with_final_failures`."""
    partial: Any = made
    return partial.args[0] if isinstance(partial, functools.partial) and partial.func is FinalFailureConverter else made


class FinalFailureConverter(FailureConverter, WithSerializationContext):
    """The converter `inner`; where the SDK could not decode arguments because of us, our failure is the activity's."""

    def __init__(self, inner: type[FailureConverter]) -> None:
        super().__init__()
        self._inner = inner()

    def with_context(self, context: SerializationContext) -> FinalFailureConverter:
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
            cause if undecoded and isinstance(cause, Final) else exception, payload_converter, failure
        )

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """As the converter below does."""
        return self._inner.from_failure(failure, payload_converter)

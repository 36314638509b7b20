"""How a payload that is lost or too large reaches whoever waits: as a failure that Temporal does not retry.

A failing workflow task is retried for ever, and so is an activity without a limit. What is gone, damaged or too large
stays so: it fails the activity or the workflow at once. Where arguments cannot be read the SDK does this for an
`ApplicationError` only: these errors are of that class and of ours.
"""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from .errors import PayloadCorrupt, PayloadError, PayloadMissing, PayloadTooLarge


class Final(ApplicationError):
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

    def __reduce__(self) -> tuple[type[Final], tuple[PayloadError]]:
        return (type(self), (self.error,))

    def __str__(self) -> str:
        return self._text


class MissingFailure(Final, PayloadMissing):  # type: ignore[misc]
    """A payload is not there."""


class CorruptFailure(Final, PayloadCorrupt):  # type: ignore[misc]
    """A payload is not what was stored."""


class TooLargeFailure(Final, PayloadTooLarge):  # type: ignore[misc]
    """A payload is larger than one may be."""


_FINAL: dict[type[PayloadError], type[Final]] = {
    PayloadMissing: MissingFailure,
    PayloadCorrupt: CorruptFailure,
    PayloadTooLarge: TooLargeFailure,
}


def as_failure(error: PayloadError) -> Exception:
    """The error as Temporal should take it; one that may be over the next time (a full disk) stays as it is."""
    final = _FINAL.get(type(error))
    return error if final is None else final(error)

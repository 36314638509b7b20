"""Errors that fail a test: Temporal, a worker or a wait went wrong; and how pytest reports them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class TemporalTestError(AssertionError):
    """A failure that the plugin found; the message says what went wrong, what was found and what to do."""


class WaitTimeout(TemporalTestError):
    """A wait passed the limit; the message has the state of every open workflow."""


class CannotComplete(WaitTimeout):
    """A wait that would only end at its limit, because of a mistake; the message starts with the mistake."""


class WorkerDied(TemporalTestError):
    """A worker ended by itself, so its workflows and activities cannot continue."""


class WorkerStuck(TemporalTestError):
    """A worker did not stop within its limit, because an activity or a workflow does not end."""


class ServerLost(TemporalTestError):
    """The server ended while the test ran; the next test gets a new one."""


class NotSupported(TemporalTestError):
    """The backend does not support what the test requires; the test is skipped."""


class SetupError(TemporalTestError):
    """A test is set up wrongly: a mock, an option, a workflow does not match the rest."""


class ClockStuck(TemporalTestError):
    """The virtual clock of a workflow did not move; the message says what blocks it."""


class ReplayFailed(TemporalTestError):
    """A workflow's history does not replay against its code."""


class BudgetExceeded(TemporalTestError):
    """The workflows of a test sent more than its payload budget; the message lists the largest payloads."""


class RehearsalFailed(TemporalTestError):
    """A rehearsal did not pass; the message says which finding failed, or which step did not happen as planned."""


@contextlib.contextmanager
def as_outcome() -> Iterator[None]:
    """Turn errors into pytest's outcomes, with their own message and without a traceback of the plugin.

    NotSupported skips the test; every other error of the plugin or of devserver fails it.
    """
    import pytest

    from devserver import DevServerError

    try:
        yield
    except NotSupported as error:
        raise pytest.skip.Exception(str(error)) from None
    except (DevServerError, TemporalTestError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None

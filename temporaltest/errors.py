"""What a test is told when Temporal, its worker, or its own waiting goes wrong."""

from __future__ import annotations


class TemporalTestError(AssertionError):
    """A failure of a test that this plugin found; the message says what, and what was seen."""


class WaitTimeout(TemporalTestError):
    """A wait passed the limit; the message holds the state of every open workflow."""


class WorkerDied(TemporalTestError):
    """A worker ended by itself, so nothing that needs it can go on."""


class WorkerStuck(TemporalTestError):
    """A worker did not stop within its limit: an activity does not end."""


class ServerLost(TemporalTestError):
    """The server ended while the test ran; the next test has a new one."""


class NotSupported(TemporalTestError):
    """The backend cannot do what was asked."""


class SetupError(TemporalTestError):
    """What a test asked for does not fit together: a mock, an option, a workflow."""


class ClockStuck(TemporalTestError):
    """A workflow's virtual clock did not move when it was asked to; the message says what holds it."""


class ReplayFailed(TemporalTestError):
    """A workflow's history does not replay against its code."""


class BudgetExceeded(TemporalTestError):
    """A test's workflows sent more than its payload budget; the message says which event, and how large."""


class RehearsalFailed(TemporalTestError):
    """A rehearsal did not pass; the message says which finding failed, or what of the plan did not happen."""

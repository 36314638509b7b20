"""The moments of a plan, for `at.…`: when a fault or a drill is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import ScenarioInvalid
from .arguments import seconds
from .events import SERVER
from .moments import (
    ActivityMoment,
    ConditionMoment,
    ElapsedMoment,
    EventIdMoment,
    EventMoment,
    FacilitatorMoment,
    LogMoment,
    RandomEvent,
    RandomTime,
    VirtualMoment,
)
from .patient_logs import named_log
from .plan import Moment

if TYPE_CHECKING:
    from .view import RunView


def activity_starts(activity: str, nth: int = 1) -> Moment:
    """The nth attempt of this activity type reaches the worker; it waits until the planned actions are done."""
    return ActivityMoment(activity, "starts", _nth(nth))


def activity_fails(activity: str, nth: int = 1) -> Moment:
    """An attempt has failed for the nth time; the server does not know it yet."""
    return ActivityMoment(activity, "fails", _nth(nth))


def activity_completes(activity: str, nth: int = 1) -> Moment:
    """An attempt has completed for the nth time, with all its effects; the server does not know it yet."""
    return ActivityMoment(activity, "completes", _nth(nth))


def event(type: str, nth: int = 1) -> Moment:  # noqa: A002 - what the history calls it
    """The nth event of this type (`TimerStarted`) in the histories of the runbook and of the runs it continues as."""
    return EventMoment(type, _nth(nth))


def event_id(number: int) -> Moment:
    """The event with this id in the history of the runbook's first run."""
    return EventIdMoment(_nth(number))


def elapsed(time: float | timedelta) -> Moment:
    """A time after the runbook's start by the wall clock, in seconds or as a timedelta."""
    return ElapsedMoment(seconds(time, "at.elapsed"))


def random_event() -> Moment:
    """A random event of the history without faults; the seed decides which. The runbook first runs without faults."""
    return RandomEvent()


def random_time(earliest: float | timedelta, latest: float | timedelta) -> Moment:
    """A random time between these two after the runbook's start, by the wall clock; the seed decides which."""
    first, last = seconds(earliest, "at.random_time"), seconds(latest, "at.random_time")
    if last < first:
        raise ScenarioInvalid(f"at.random_time takes the earlier time first, not {earliest!r} before {latest!r}")
    return RandomTime(first, last)


def virtual(time: timedelta) -> Moment:
    """A virtual time after the runbook's start, for `time_skipping=True`.

    The clock stands still there until the planned actions are done, even if the runbook waits for no timer.
    """
    if not isinstance(time, timedelta) or time < timedelta(0):
        raise ScenarioInvalid(f"at.virtual takes a timedelta of 0 or more, not {time!r}")
    return VirtualMoment(time)


def log(pattern: str, where: str = SERVER) -> Moment:
    """The server logs a line that matches the regular expression; or a member, a role or the `database` of the patient.

    Raises:
        ScenarioInvalid: Not a regular expression, or there is no such log.
    """
    where = named_log(where, (SERVER,), "at.log")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ScenarioInvalid(f"at.log({pattern!r}): not a regular expression: {error}") from None
    return LogMoment(pattern, where)


def when(condition: Callable[[RunView], bool], name: str | None = None) -> Moment:
    """A condition is true for the first time; it is called every 20 ms with a `RunView` of the run so far."""
    return ConditionMoment(condition, name or str(getattr(condition, "__name__", "a condition holds")))


def _nth(number: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ScenarioInvalid(f"a moment's number must be 1 or more, not {number!r}")
    return number


def facilitator() -> Moment:
    """When the facilitator of a game day says so, on the facilitator's page. In a rehearsal it never comes."""
    return FacilitatorMoment()

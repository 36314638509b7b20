"""What can go wrong with a schedule."""

from __future__ import annotations

from ..errors import DevServerError, OptionError


class ScheduleUnknown(DevServerError):
    """There is no schedule of that id."""


class ScheduleExists(DevServerError):
    """A schedule of that id is already there."""


class ScheduleRefused(OptionError):
    """Temporal refuses a schedule's times, policies or action."""

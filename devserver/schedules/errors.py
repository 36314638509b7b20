"""Errors about schedules. They stand apart so that a process without the Temporal SDK can load them."""

from __future__ import annotations

from ..errors import DevServerError, NotFound, OptionError


class ScheduleUnknown(NotFound):
    """The namespace has no schedule with that id."""


class ScheduleExists(DevServerError):
    """The namespace already has a schedule with that id."""


class ScheduleRefused(OptionError):
    """The server refuses a schedule's times, policies or action, or a list filter."""

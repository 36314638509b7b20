"""Schedules: made, steered, listed, and previewed: when they are due next, and what each overlap policy would do."""

from __future__ import annotations

from .create import NewSchedule, create_schedule
from .errors import ScheduleExists, ScheduleRefused, ScheduleUnknown
from .listing import Description, Row, Run, describe_schedule, list_schedules
from .overlap import POLICIES, Outcome, Policy, Rules, Scheduler, Start, simulate
from .preview import Preview, PreviewOptions, preview_schedule, preview_spec
from .spec import Calendar, Interval, Spec
from .steer import (
    Backfill,
    Triggered,
    backfill_schedule,
    delete_schedule,
    pause_schedule,
    plan_backfill,
    trigger_schedule,
    unpause_schedule,
)
from .times import find_zone, parse_time

__all__ = [
    "POLICIES",
    "Backfill",
    "Calendar",
    "Description",
    "Interval",
    "NewSchedule",
    "Outcome",
    "Policy",
    "Preview",
    "PreviewOptions",
    "Row",
    "Rules",
    "Run",
    "ScheduleExists",
    "ScheduleRefused",
    "ScheduleUnknown",
    "Scheduler",
    "Spec",
    "Start",
    "Triggered",
    "backfill_schedule",
    "create_schedule",
    "delete_schedule",
    "describe_schedule",
    "find_zone",
    "list_schedules",
    "parse_time",
    "pause_schedule",
    "plan_backfill",
    "preview_schedule",
    "preview_spec",
    "simulate",
    "trigger_schedule",
    "unpause_schedule",
]

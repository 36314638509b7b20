"""Create, list, describe, preview and manage schedules."""

from __future__ import annotations

from .calls import ScheduleCalls
from .declared import declare_schedule
from .errors import ScheduleExists, ScheduleRefused, ScheduleUnknown
from .listing import ScheduleDescription, ScheduleRow, ScheduleRun, describe_schedule, list_schedules
from .new_schedule import NewSchedule
from .operations import (
    BackfillPlan,
    TriggerResult,
    backfill_schedule,
    create_schedule,
    delete_schedule,
    pause_schedule,
    plan_backfill,
    trigger_schedule,
    unpause_schedule,
    update_schedule,
)
from .overlap import (
    OVERLAP_POLICIES,
    OverlapOutcome,
    OverlapPolicy,
    ScheduledStart,
    Scheduler,
    SimulationSettings,
    simulate,
)
from .preview import PreviewOptions, SchedulePreview, preview_schedule, preview_spec
from .spec import Calendar, Interval, ScheduleSpec

__all__ = [
    "OVERLAP_POLICIES",
    "BackfillPlan",
    "Calendar",
    "Interval",
    "NewSchedule",
    "OverlapOutcome",
    "OverlapPolicy",
    "PreviewOptions",
    "ScheduleCalls",
    "ScheduleDescription",
    "ScheduleExists",
    "SchedulePreview",
    "ScheduleRefused",
    "ScheduleRow",
    "ScheduleRun",
    "ScheduleSpec",
    "ScheduleUnknown",
    "ScheduledStart",
    "Scheduler",
    "SimulationSettings",
    "TriggerResult",
    "backfill_schedule",
    "create_schedule",
    "declare_schedule",
    "delete_schedule",
    "describe_schedule",
    "list_schedules",
    "pause_schedule",
    "plan_backfill",
    "preview_schedule",
    "preview_spec",
    "simulate",
    "trigger_schedule",
    "unpause_schedule",
    "update_schedule",
]

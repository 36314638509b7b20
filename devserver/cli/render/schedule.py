"""Schedules as lines for a terminal: lists, and one with all its fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from ...config.durations import format_duration
from .table import table_lines
from .terminal import clean, width_now, wrapped

if TYPE_CHECKING:
    from ...schedules import ScheduleDescription, ScheduleRow

MOST_TEXT = 400
LIST_HEAD = ("SCHEDULE", "WORKFLOW", "NEXT", "TIMES")


def moment(when: datetime | None, zone: tzinfo | None) -> str:
    """A moment on the clock of a zone, with its offset."""
    return "-" if when is None else when.astimezone(zone).strftime("%a %Y-%m-%d %H:%M:%S %z")


def length(time: timedelta) -> str:
    """A duration as the options take it."""
    return format_duration(round(time.total_seconds()))


def listed(rows: Sequence[ScheduleRow], zone: tzinfo | None) -> Iterator[str]:
    """A table, or a paragraph for each schedule where the terminal is too narrow."""
    cells = [_cells(row, zone) for row in rows]
    lines = table_lines(cells, LIST_HEAD)
    if max(map(len, lines)) <= width_now():
        yield from lines
        return
    for schedule_id, workflow, following, times in cells:
        yield f"{schedule_id} ({workflow})"
        yield from wrapped(following, "    ")
        yield from wrapped(times, "    ")


def _cells(row: ScheduleRow, zone: tzinfo | None) -> tuple[str, str, str, str]:
    following = moment(row.next_times[0], zone) if row.next_times else "never again"
    state = "paused" if row.paused else following
    return clean(row.schedule_id), clean(row.workflow_type), state, clean(row.spec)


def described(found: ScheduleDescription, zone: tzinfo | None) -> Iterator[str]:
    """All fields of a schedule, one a line."""
    facts = {
        "schedule": found.schedule_id,
        "workflow": f"{found.workflow_type} on {found.task_queue}, ids {found.workflow_id}-...",
        "input": ", ".join(map(_short, found.input)) or "none",
        "times": found.spec,
        "from, to": f"{moment(found.start, zone)}, {moment(found.end, zone)}" if found.start or found.end else "",
        "overlap": found.policy,
        "catch-up": f"within {length(found.catchup_window)}",
        "state": _state(found),
        "note": found.note,
        "memo": ", ".join(f"{name}={_short(text)}" for name, text in found.memo.items()),
        "so far": _so_far(found),
        "open runs": ", ".join(found.running),
        "next": moment(found.next_times[0], zone) if found.next_times else "never again",
        "created": moment(found.created, zone),
        "changed": moment(found.updated, zone) if found.updated else "",
    }
    for name, text in facts.items():
        if text:
            yield from wrapped(f"{name:<9}  {text}", hanging=" " * 11)
    if found.recent:
        yield "last runs"
    for run in found.recent:
        yield from wrapped(f"{moment(run.due, zone)}  {run.status:<10}  {run.workflow_id}", "  ", "  ")


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}... ({len(text):,} characters; --json shows all)"


def _state(found: ScheduleDescription) -> str:
    left = "" if found.remaining_actions is None else f", {found.remaining_actions} actions are left"
    failing = ", paused when a run fails" if found.pause_on_failure else ""
    return ("paused" if found.paused else "active") + left + failing


def _so_far(found: ScheduleDescription) -> str:
    counts = {
        "run" if found.actions == 1 else "runs": found.actions,
        "skipped": found.skipped,
        "missed": found.missed,
        "dropped": found.dropped,
        "waiting": found.buffered,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name in ("run", "runs"))

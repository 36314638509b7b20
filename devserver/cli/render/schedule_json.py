"""Schedules, descriptions and previews in the documented forms (docs/json.md)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from ...system.json_form import FORM

if TYPE_CHECKING:
    from ...client.target import Target
    from ...schedules import OverlapOutcome, ScheduleDescription, SchedulePreview, ScheduleRow


def utc(when: datetime | None) -> str | None:
    """ISO 8601 in UTC, with the server's precision."""
    return None if when is None else when.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def plain(value: Any) -> Any:
    """Records as JSON has them: times in UTC, durations in seconds."""
    if isinstance(value, datetime):
        return utc(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def row_json(row: ScheduleRow) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    found: dict[str, Any] = plain(asdict(row))
    return found


def description_json(found: ScheduleDescription, target: Target) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    values = plain(asdict(found))
    values["catchup_window_seconds"] = values.pop("catchup_window")
    return {"form": FORM, "address": target.address, "namespace": target.namespace, **values}


def preview_json(preview: SchedulePreview, target: Target, zone: tzinfo | None, only: Sequence[str]) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    return {
        "form": FORM,
        "address": target.address,
        "namespace": target.namespace,
        "schedule_id": preview.schedule_id,
        "time_zone": preview.time_zone,
        "jitter_seconds": preview.jitter.total_seconds(),
        "jitter_included": preview.schedule_id is not None,
        "policy": preview.policy,
        "scheduler": preview.scheduler,
        "notes": list(preview.notes),
        "times": [{"utc": utc(time), "local": time.astimezone(zone).isoformat()} for time in preview.times],
        "run_seconds": None if preview.run_length is None else preview.run_length.total_seconds(),
        "cancel_seconds": preview.cancel_length.total_seconds(),
        "outcomes": [_outcome_json(outcome) for outcome in preview.outcomes if not only or outcome.policy in only],
    }


def _outcome_json(outcome: OverlapOutcome) -> dict[str, Any]:
    return {
        "policy": outcome.policy,
        "ran": list(outcome.ran),
        "open_at_once": outcome.open_at_once,
        "starts": [
            {**plain(asdict(start)), "waited_seconds": start.waited.total_seconds()} for start in outcome.starts
        ],
    }

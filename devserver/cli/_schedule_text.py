"""How schedules are written: lists, one in full, previews; and the same as JSON."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

import click

from ..options import format_duration
from ._schedule_timeline import LEGEND, Chart
from ._stuck_text import LEAST_WIDTH, MOST_WIDTH, age, clean

if TYPE_CHECKING:
    from ..connection import Target
    from ..schedules import Description, Outcome, Preview, Row

FORM = 1
LIST_HEAD = ("SCHEDULE", "WORKFLOW", "NEXT", "TIMES")
FATES = ("skipped", "replaced", "missed", "waiting", "cancelled", "terminated")


def width() -> int:
    """How wide lines may be."""
    return max(LEAST_WIDTH, min(MOST_WIDTH, shutil.get_terminal_size().columns))


def wrapped(text: str, indent: str = "", hanging: str = "") -> list[str]:
    """Lines as wide as the terminal; ids stay whole."""
    return textwrap.wrap(
        clean(text),
        width(),
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def moment(when: datetime | None, zone: tzinfo | None) -> str:
    """A moment on the clock of a zone, with its offset."""
    return "-" if when is None else when.astimezone(zone).strftime("%a %Y-%m-%d %H:%M:%S %z")


def length(time: timedelta) -> str:
    """A duration as the options take it."""
    return format_duration(round(time.total_seconds()))


# Lists


def listed(rows: Sequence[Row], zone: tzinfo | None) -> Iterator[str]:
    """A table, or where that is too wide a paragraph for each schedule."""
    cells = [_cells(row, zone) for row in rows]
    widths = [max(len(line[column]) for line in (LIST_HEAD, *cells)) for column in range(len(LIST_HEAD) - 1)]
    widest = max(sum(widths) + 2 * len(widths) + len(line[-1]) for line in (LIST_HEAD, *cells))
    if widest <= width():
        for line in (LIST_HEAD, *cells):
            yield "  ".join([*(cell.ljust(size) for cell, size in zip(line, widths, strict=False)), line[-1]])
        return
    for schedule_id, workflow, following, times in cells:
        yield f"{schedule_id} ({workflow})"
        yield from wrapped(following, "    ")
        yield from wrapped(times, "    ")


def _cells(row: Row, zone: tzinfo | None) -> tuple[str, str, str, str]:
    following = moment(row.next_times[0], zone) if row.next_times else "never again"
    state = "paused" if row.paused else following
    return clean(row.schedule_id), clean(row.workflow_type), state, clean(row.spec)


def described(found: Description, zone: tzinfo | None) -> Iterator[str]:
    """A schedule in full, a fact a line."""
    facts = {
        "schedule": found.schedule_id,
        "workflow": f"{found.workflow_type} on {found.task_queue}, ids {found.workflow_id}-...",
        "input": ", ".join(found.input) or "none",
        "times": found.spec,
        "from, to": f"{moment(found.start, zone)}, {moment(found.end, zone)}" if found.start or found.end else "",
        "overlap": found.policy,
        "catch-up": f"within {length(found.catchup_window)}",
        "state": _state(found),
        "note": found.note,
        "memo": ", ".join(f"{name}={text}" for name, text in found.memo.items()),
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


def _state(found: Description) -> str:
    left = "" if found.remaining_actions is None else f", {found.remaining_actions} actions are left"
    failing = ", paused when a run fails" if found.pause_on_failure else ""
    return ("paused" if found.paused else "active") + left + failing


def _so_far(found: Description) -> str:
    counts = {
        "runs": found.actions,
        "skipped": found.skipped,
        "missed": found.missed,
        "dropped": found.dropped,
        "waiting": found.buffered,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count or name == "runs")


# Previews


def previewed(
    preview: Preview, zone: tzinfo | None, zone_name: str | None, only: Sequence[str] = (), *, away: bool = True
) -> Iterator[str]:
    """The next times (with `away`, how far away they are), what is to be known of them, and each policy's runs."""
    what = f" of {preview.schedule_id}" if preview.schedule_id else ""
    if not preview.times:
        yield from wrapped(f"no time is left{what}")
    else:
        yield from wrapped(f"next {len(preview.times)} times{what}, in {zone_name or 'local time'}:")
        yield from _times(preview.times, zone, away)
    for note in (*_jitter(preview), *preview.notes):
        yield from wrapped(f"note: {note}")
    if preview.run_length is not None and preview.times:
        yield ""
        yield from _policies(preview, length(preview.run_length), zone, only)


def _times(times: Sequence[datetime], zone: tzinfo | None, away: bool) -> Iterator[str]:
    now = datetime.now(timezone.utc)
    offset = times[0].astimezone(zone).utcoffset()
    for number, when in enumerate(times, 1):
        local = when.astimezone(zone)
        if local.utcoffset() != offset:
            offset = local.utcoffset()
            yield f"       the clocks change to {local:%z}"
        line = f"{number:>5}  {moment(when, zone)}"
        more = f"  in {age(when - now)}"
        yield line + more if away and len(line + more) <= width() else line


def _jitter(preview: Preview) -> Iterator[str]:
    if preview.jitter and preview.schedule_id:
        yield f"these times have their jitter of up to {length(preview.jitter)} in them"
    elif preview.jitter:
        yield f"jitter: each is up to {length(preview.jitter)} later; by how much, the schedule's id decides"


def _policies(preview: Preview, runs: str, zone: tzinfo | None, only: Sequence[str]) -> Iterator[str]:
    cancel = f" that end {length(preview.cancel_length)} after they are cancelled" if preview.cancel_length else ""
    yield from wrapped(f"with runs of {runs}{cancel}, each overlap policy:")
    yield from wrapped(LEGEND)
    chosen = [each for each in preview.outcomes if not only or each.policy in only]
    chart = Chart(chosen, width())
    for alike in _alike(chosen):
        names = ", ".join(each.policy + (" (its own)" if _own(preview, each) else "") for each in alike)
        yield ""
        yield from _named(names, summary(alike[0]))
        yield chart.axis(zone)
        yield from chart.lines(alike[0])


def _own(preview: Preview, outcome: Outcome) -> bool:
    return preview.schedule_id is not None and outcome.policy == preview.policy


def _named(names: str, text: str) -> Iterator[str]:
    lines = wrapped(f"{names}: {text}")
    if lines[0].startswith(names):
        lines[0] = click.style(names, bold=True) + lines[0][len(names) :]
    yield from lines


def _alike(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Policies of which the same comes, together."""
    groups: list[list[Outcome]] = []
    for outcome in outcomes:
        same = next((group for group in groups if group[0].starts == outcome.starts), None)
        if same is None:
            groups.append([outcome])
        else:
            same.append(outcome)
    return groups


def summary(outcome: Outcome) -> str:
    """How many of its starts run, and what becomes of the others."""
    text = f"{len(outcome.ran)} of {len(outcome.starts)} run"
    text += "".join(f", {outcome.count(fate)} {fate}" for fate in FATES if outcome.count(fate))  # type: ignore[arg-type]
    return text + (f", {outcome.open_at_once} open at once" if outcome.open_at_once > 1 else "")


# JSON


def utc(when: datetime | None) -> str | None:
    """ISO 8601 in UTC, as exactly as the server tells it."""
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
        return [plain(each) for each in value]
    return value


def row_json(row: Row) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    found: dict[str, Any] = plain(asdict(row))
    return found


def description_json(found: Description, target: Target) -> dict[str, Any]:
    """The documented form (docs/json.md)."""
    values = plain(asdict(found))
    values["catchup_window_seconds"] = values.pop("catchup_window")
    return {"form": FORM, "address": target.address, "namespace": target.namespace, **values}


def preview_json(preview: Preview, target: Target, zone: tzinfo | None, only: Sequence[str]) -> dict[str, Any]:
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
        "times": [{"utc": utc(each), "local": each.astimezone(zone).isoformat()} for each in preview.times],
        "run_seconds": None if preview.run_length is None else preview.run_length.total_seconds(),
        "cancel_seconds": preview.cancel_length.total_seconds(),
        "outcomes": [_outcome_json(each) for each in preview.outcomes if not only or each.policy in only],
    }


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "policy": outcome.policy,
        "ran": list(outcome.ran),
        "open_at_once": outcome.open_at_once,
        "starts": [
            {**plain(asdict(start)), "waited_seconds": start.waited.total_seconds()} for start in outcome.starts
        ],
    }

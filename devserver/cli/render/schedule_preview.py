"""A preview as lines for a terminal: times, notes, and each policy's runs on a timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone, tzinfo
from typing import TYPE_CHECKING

import click

from ...system.timefmt import age
from .schedule import length, moment
from .schedule_timeline import LEGEND, Chart
from .terminal import width_now, wrapped

if TYPE_CHECKING:
    from ...schedules import OverlapOutcome, SchedulePreview

FATES = ("skipped", "replaced", "missed", "waiting", "canceled", "terminated")


def previewed(
    preview: SchedulePreview, zone: tzinfo | None, zone_name: str | None, only: Sequence[str] = (), *, away: bool = True
) -> Iterator[str]:
    """The next times (with `away`, how far away they are), notes, and each policy's runs."""
    what = f" of {preview.schedule_id}" if preview.schedule_id else ""
    if not preview.times:
        yield from wrapped(f"no times left{what}")
    else:
        many = "time" if len(preview.times) == 1 else f"{len(preview.times):,} times"
        yield from wrapped(f"next {many}{what}, in {zone_name or 'local time'}:")
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
        yield line + more if away and len(line + more) <= width_now() else line


def _jitter(preview: SchedulePreview) -> Iterator[str]:
    if preview.jitter and preview.schedule_id:
        yield f"these times include their jitter of up to {length(preview.jitter)}"
    elif preview.jitter:
        yield f"jitter: each is up to {length(preview.jitter)} later, depending on the schedule's id"


def _policies(preview: SchedulePreview, runs: str, zone: tzinfo | None, only: Sequence[str]) -> Iterator[str]:
    cancel = f" that end {length(preview.cancel_length)} after they are canceled" if preview.cancel_length else ""
    yield from wrapped(f"with runs of {runs}{cancel}, each overlap policy:")
    yield from wrapped(LEGEND)
    chosen = [outcome for outcome in preview.outcomes if not only or outcome.policy in only]
    chart = Chart(chosen, width_now())
    for alike in _alike(chosen):
        names = ", ".join(item.policy + (" (its own)" if _own(preview, item) else "") for item in alike)
        yield ""
        yield from _named(names, summary(alike[0]))
        yield chart.axis(zone)
        yield from chart.lines(alike[0])


def _own(preview: SchedulePreview, outcome: OverlapOutcome) -> bool:
    return preview.schedule_id is not None and outcome.policy == preview.policy


def _named(names: str, text: str) -> Iterator[str]:
    lines = wrapped(f"{names}: {text}")
    if lines[0].startswith(names):
        lines[0] = click.style(names, bold=True) + lines[0][len(names) :]
    yield from lines


def _alike(outcomes: Sequence[OverlapOutcome]) -> list[list[OverlapOutcome]]:
    """Policies with the same result, together."""
    groups: list[list[OverlapOutcome]] = []
    for outcome in outcomes:
        same = next((group for group in groups if group[0].starts == outcome.starts), None)
        if same is None:
            groups.append([outcome])
        else:
            same.append(outcome)
    return groups


def summary(outcome: OverlapOutcome) -> str:
    """How many of its starts run, and what happens to the others."""
    text = f"{len(outcome.ran)} of {len(outcome.starts)} run"
    text += "".join(f", {outcome.count(fate)} {fate}" for fate in FATES if outcome.count(fate))  # type: ignore[arg-type]
    return text + (f", {outcome.open_at_once} open at once" if outcome.open_at_once > 1 else "")

"""The timeline of a run, finished or not: its lanes, their labels, and their shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from ...system.printable import counted
from .attempts import troubled
from .outage_texts import outage_note
from .text import effect_name, seconds
from .timeline_shapes import TimelinePicture, TimelineRow, TimelineScale, TimelineShape, picture

MOST_ROWS = 24  # of one lane
MOST_SMOOTH = 12  # activities with a line of their own although nothing happened to them
MOST_NAMED = 3
LEAST_WAIT = 0.02  # seconds between two attempts that are drawn

SINGLE = {"network": "Network", "database": "Database", "person": "Person", "check": "Checks", "log": "Server log"}
HOW = {
    "lost": "done, result lost",
    "open": "never ended",
    "over": "failed or timed out",
}


def drawn(result: Mapping[str, Any]) -> TimelinePicture | None:
    """The timeline of a result or of a run; None if nothing ran.

    In a run that has not ended (its verdict is None) what is open is running.
    """
    timeline = result["timeline"]
    marks = timeline["marks"]
    if not marks:
        return None
    scale = TimelineScale(timeline["end"])
    rows = [_up_and_down(lane, lane.capitalize(), result, scale) for lane in ("server", "worker")]
    rows += _patient(result, scale)
    rows += [_points(lane, name, marks, scale) for lane, name in SINGLE.items() if lane in ("network", "database")]
    faults, some = _faults(result, scale)
    activities, more = _activities(result, scale)
    rows += [*faults, *activities, *_effects(result, scale)]
    rows += [_points(lane, name, marks, scale) for lane, name in SINGLE.items() if lane in ("person", "check", "log")]
    rows.append(_points("event", "History events", marks, scale))
    return picture(rows, scale, [item["at"] for item in result["faults"][:MOST_ROWS]], [*some, *more])


def _patient(result: Mapping[str, Any], scale: TimelineScale) -> list[TimelineRow]:
    """A row for each member of the patient, and one each for starts acknowledged and workflows that ran."""
    patient = result["patient"]
    if patient is None:
        return []
    rows = [_up_and_down(name, f"Patient, {name}", result, scale) for name in patient["members"]]
    acknowledged = patient["acknowledged"]["count"]
    rates = (("acknowledged", "starts acknowledged", patient["starts"]), ("completed", "workflows ran", acknowledged))
    for key, what, of in rates:
        found = patient[key]
        if patient["starts"]:
            note = f"{found['count']:,} of {of:,}; longest gap {seconds(found['gap']['seconds'])}"
            shapes = [scale.dot(at, "tick", what) for at in found["at"]]
            rows.append(TimelineRow(key, f"Patient: {what}", note, shapes))
    return rows


def _up_and_down(lane: str, name: str, result: Mapping[str, Any], scale: TimelineScale) -> TimelineRow:
    ups = [mark for mark in result["timeline"]["marks"] if mark["lane"] == lane and not mark["detail"].get("outage")]
    shapes = [scale.bar(mark["at"], mark["until"], "up", f"up{_version(mark)}") for mark in ups]
    downs = [item for item in result["outages"] if item["lane"] == lane]
    notes = [outage_note(down, scale.end) for down in downs]
    shapes += [scale.bar(down["at"], down["until"], "down", note) for down, note in zip(downs, notes, strict=True)]
    note = counted(len(downs), "outage") if len(downs) > 2 else "; ".join(notes) or "up"
    return TimelineRow(lane, name, note, shapes, troubled=bool(downs))


def _version(mark: Mapping[str, Any]) -> str:
    version = mark["detail"].get("version")
    return f", Temporal {version}" if version else ""


def _points(lane: str, name: str, marks: Iterable[Mapping[str, Any]], scale: TimelineScale) -> TimelineRow:
    mine = [mark for mark in marks if mark["lane"] == lane]
    kind = "tick" if lane == "event" else "point"
    shapes = [
        scale.dot(mark["at"], kind, mark["what"])
        if mark["until"] is None
        else scale.bar(mark["at"], mark["until"], "span", mark["what"])
        for mark in mine
    ]
    many = lane == "event" or len(mine) > MOST_NAMED
    note = f"{len(mine):,}" if many else "; ".join(mark["what"] for mark in mine)
    return TimelineRow(lane, name, note, shapes, troubled=lane != "event")


def _faults(result: Mapping[str, Any], scale: TimelineScale) -> tuple[list[TimelineRow], list[str]]:
    faults = result["faults"]
    rows = [
        TimelineRow(
            item["lane"],
            f"{item['lane'].capitalize()} {number}",
            item["what"],
            [scale.bar(item["at"], item["until"], item["lane"], item["what"], str(number))],
            troubled=True,
        )
        for number, item in enumerate(faults[:MOST_ROWS], 1)
    ]
    left = faults[MOST_ROWS:]
    if not left:
        return rows, []
    bars = [scale.bar(item["at"], item["until"], item["lane"], item["what"]) for item in left]
    rows.append(
        TimelineRow("fault", f"{counted(len(left), 'more fault or drill', 'more faults and drills')}", "", bars)
    )
    return rows, [f"{counted(len(left), 'fault or drill shares', 'faults and drills share')} one line"]


def _activities(result: Mapping[str, Any], scale: TimelineScale) -> tuple[list[TimelineRow], list[str]]:
    """A row for each activity; if there are too many, for those with problems, and one row for the rest."""
    found = result["activities"]
    how = {**HOW, "open": "running"} if result.get("verdict", "") is None else HOW
    alone = found
    if len(found) > MOST_SMOOTH:
        alone = [item for item in found if troubled(item)][:MOST_ROWS]
    rows = [
        TimelineRow("activity", _name(item), _note(item, how), _attempts(item, scale, how), troubled=troubled(item))
        for item in alone
    ]
    mine = {id(item) for item in alone}
    rest = [item for item in found if id(item) not in mine]
    if not rest:
        return rows, []
    bars = [bar for item in rest for bar in _attempts(item, scale, how, _name(item))]
    rows.append(TimelineRow("activity", f"{len(rest):,} {'other ' if alone else ''}activities", "", bars))
    return rows, [f"{len(rest):,} of {len(found):,} activities share one line"]


def _attempts(
    activity: Mapping[str, Any], scale: TimelineScale, how: Mapping[str, str], name: str = ""
) -> list[TimelineShape]:
    """A bar for each attempt, and one between two of them: the server backs off, or there is nobody to run it."""
    shapes = []
    attempts = activity["attempts"]
    for item in attempts:
        why = f": {item['error']}" if item["error"] else ""
        text = f"{name} attempt {item['attempt']}: {how.get(item['ended'], item['ended'])}{why}".strip()
        until = None if item["ended"] == "open" else item["until"]
        shapes.append(scale.bar(item["at"], until, item["ended"], text))
    for one, following in pairwise(attempts):
        ended = one["at"] if one["until"] is None else one["until"]
        if following["at"] - ended >= LEAST_WAIT:
            text = f"{name} waits {seconds(following['at'] - ended)} for attempt {following['attempt']}".strip()
            shapes.append(scale.bar(ended, following["at"], "wait", text))
    return shapes


def _name(activity: Mapping[str, Any]) -> str:
    return f"{activity['name']} {activity['id']}".strip()


def _note(activity: Mapping[str, Any], how: Mapping[str, str]) -> str:
    ended = [how.get(attempt["ended"], attempt["ended"]) for attempt in activity["attempts"]]
    if len(ended) == 1:
        return str(ended[0])
    before = ", ".join(what if count == 1 else f"{count} x {what}" for what, count in Counter(ended[:-1]).items())
    return f"{counted(len(ended), 'attempt')}: {before}; {ended[-1]}"


def _effects(result: Mapping[str, Any], scale: TimelineScale) -> list[TimelineRow]:
    effects = result["effects"]
    points = [scale.dot(effect["at"], "effect", effect_name(effect)) for effect in effects]
    count = result["metrics"]["effects"] if result["metrics"] else len(effects)
    rows = [TimelineRow("effect", "Side effects", f"{count:,}", points)]
    for item in result["repeated_effects"][:MOST_ROWS]:
        moments = [
            scale.dot(one["at"], "again", effect_name(item) + (f", attempt {one['attempt']}" if one["attempt"] else ""))
            for one in item["moments"]
        ]
        rows.append(
            TimelineRow("effect", effect_name(item), f"happened {len(moments):,} times", moments, troubled=True)
        )
    return rows

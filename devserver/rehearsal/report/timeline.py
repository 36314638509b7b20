"""The picture of a timeline: its lanes, their labels, and their shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ...system.printable import counted
from .attempts import troubled
from .text import effect_name, moment, seconds
from .timeline_shapes import TimelinePicture, TimelineRow, TimelineScale, TimelineShape, dots, merged

ROW = 38  # pixels
TOP = 26
MOST_ROWS = 24  # of one lane
MOST_SMOOTH = 12  # activities with a line of their own although nothing happened to them
MOST_NAMED = 3

SINGLE = {"network": "Network", "database": "Database", "person": "Person", "check": "Checks", "log": "Server log"}


def drawn(result: Mapping[str, Any]) -> TimelinePicture | None:
    """The picture of a result's timeline; None if nothing ran."""
    timeline = result["timeline"]
    if not timeline["marks"]:
        return None
    scale = TimelineScale(timeline["end"])
    marks = timeline["marks"]
    rows = [_up_and_down(lane, lane.capitalize(), result, scale) for lane in ("server", "worker")]
    rows += _patient(result, scale)
    rows += [_points(lane, name, marks, scale) for lane, name in SINGLE.items() if lane in ("network", "database")]
    faults, some = _faults(result, scale)
    activities, more = _activities(result, scale)
    rows += [*faults, *activities, *_effects(result, scale)]
    rows += [_points(lane, name, marks, scale) for lane, name in SINGLE.items() if lane in ("person", "check", "log")]
    rows.append(_points("event", "Events of the history", marks, scale))
    placed = [
        TimelineRow(row.lane, row.label, row.shapes, TOP + ROW * number, row.troubled)
        for number, row in enumerate(row for row in rows if row.shapes)
    ]
    lines = [scale(item["at"]) for item in result["faults"][:MOST_ROWS]]
    return TimelinePicture(placed, scale.ticks(), lines, TOP + ROW * len(placed) + 6, [*some, *more])


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
            gap = f"{found['count']:,} of {of:,} {what}; longest gap {seconds(found['gap']['seconds'])}"
            rows.append(TimelineRow(key, f"Patient: {gap}", dots([(at, what) for at in found["at"]], scale, "tick")))
    return rows


def _up_and_down(lane: str, name: str, result: Mapping[str, Any], scale: TimelineScale) -> TimelineRow:
    end = result["timeline"]["end"]
    ups = [mark for mark in result["timeline"]["marks"] if mark["lane"] == lane and not mark["detail"].get("outage")]
    shapes = [
        scale.bar(mark["at"], _or(mark["until"], end), "up", f"{lane} up from {moment(mark['at'])}{_version(mark)}")
        for mark in ups
    ]
    downs = [item for item in result["outages"] if item["lane"] == lane]
    texts = []
    for down in downs:
        length = seconds(_or(down["until"], end) - down["at"])
        texts.append(f"{down['ended']}, down {length}")
        title = f"{lane} {down['ended']} at {moment(down['at'])}, down {length}"
        shapes.append(scale.bar(down["at"], _or(down["until"], end), "down", title))
    label = f"{name}: {'; '.join(texts[:2]) or 'up'}"
    if len(texts) > 2:
        label = f"{name}: {counted(len(texts), 'outage')}"
    return TimelineRow(lane, label, shapes, troubled=bool(texts))


def _version(mark: Mapping[str, Any]) -> str:
    version = mark["detail"].get("version")
    return f", Temporal {version}" if version else ""


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _points(lane: str, name: str, marks: Iterable[Mapping[str, Any]], scale: TimelineScale) -> TimelineRow:
    mine = [mark for mark in marks if mark["lane"] == lane]
    spans = [
        scale.bar(mark["at"], mark["until"], "span", f"{mark['what']}, {moment(mark['at'])} to {moment(mark['until'])}")
        for mark in mine
        if mark["until"] is not None
    ]
    alone = [(mark["at"], mark["what"]) for mark in mine if mark["until"] is None]
    kind = "tick" if lane == "event" else "point"
    texts = f"{len(mine):,}" if lane == "event" or len(mine) > MOST_NAMED else "; ".join(mark["what"] for mark in mine)
    return TimelineRow(lane, f"{name}: {texts}", [*merged(spans), *dots(alone, scale, kind)], troubled=lane != "event")


def _faults(result: Mapping[str, Any], scale: TimelineScale) -> tuple[list[TimelineRow], list[str]]:
    rows = []
    faults = result["faults"]
    for number, each in enumerate(faults[:MOST_ROWS], 1):
        title = f"{each['lane']} {number}: {each['what']}, at {moment(each['at'])}"
        shape = scale.bar(each["at"], each["until"], each["lane"], title, str(number))
        rows.append(
            TimelineRow(each["lane"], f"{each['lane'].capitalize()} {number}: {each['what']}", [shape], troubled=True)
        )
    left = faults[MOST_ROWS:]
    if not left:
        return rows, []
    bars = [scale.bar(item["at"], item["until"], item["lane"], item["what"]) for item in left]
    rows.append(
        TimelineRow("fault", f"{counted(len(left), 'more fault or drill', 'more faults and drills')}", merged(bars))
    )
    return rows, [f"{counted(len(left), 'fault or drill shares', 'faults and drills share')} one line"]


def _activities(result: Mapping[str, Any], scale: TimelineScale) -> tuple[list[TimelineRow], list[str]]:
    """A row for each activity; if there are too many, for those with problems, and one row for the rest."""
    found = result["activities"]
    alone = found
    if len(found) > MOST_SMOOTH:
        alone = [item for item in found if troubled(item)][:MOST_ROWS]
    rows = [TimelineRow("activity", _label(item), _attempts(item, scale), troubled=troubled(item)) for item in alone]
    mine = {id(item) for item in alone}
    rest = [item for item in found if id(item) not in mine]
    if not rest:
        return rows, []
    bars = [TimelineShape(bar.x, bar.width, bar.kind, bar.title) for item in rest for bar in _attempts(item, scale)]
    bars.sort(key=lambda bar: (bar.kind, bar.x))
    rows.append(TimelineRow("activity", f"{len(rest):,} {'other ' if alone else ''}activities", merged(bars)))
    return rows, [f"{len(rest):,} of {len(found):,} activities share one line"]


def _attempts(activity: Mapping[str, Any], scale: TimelineScale) -> list[TimelineShape]:
    shapes = []
    for item in activity["attempts"]:
        how = HOW.get(item["ended"], item["ended"])
        why = f" ({item['error']})" if item["error"] else ""
        title = f"{activity['name']} {activity['id']}, attempt {item['attempt']}: {how}{why}, at {moment(item['at'])}"
        shapes.append(scale.bar(item["at"], item["until"], item["ended"], title))
    return shapes if len(shapes) < 200 else merged(shapes)


HOW = {
    "lost": "done, result lost",
    "open": "never ended",
    "over": "failed or timed out",
    "killed": "killed",
}


def _label(activity: Mapping[str, Any]) -> str:
    attempts = activity["attempts"]
    name = f"{activity['name']} {activity['id']}".strip()
    if len(attempts) == 1:
        return f"{name}: {HOW.get(attempts[0]['ended'], attempts[0]['ended'])}"
    how = [HOW.get(attempt["ended"], attempt["ended"]) for attempt in attempts]
    if len(how) == 2:
        return f"{name}: {how[0]}; {how[1]}"
    before = ", ".join(f"{count} x {what}" for what, count in Counter(how[:-1]).items())
    return f"{name}: {before}; {how[-1]}"


def _effects(result: Mapping[str, Any], scale: TimelineScale) -> list[TimelineRow]:
    effects = result["effects"]
    points = dots([(effect["at"], effect_name(effect)) for effect in effects], scale, "effect")
    count = result["metrics"]["effects"] if result["metrics"] else len(effects)
    rows = [TimelineRow("effect", f"Side effects: {count:,}", points)]
    for item in result["repeated_effects"][:MOST_ROWS]:
        moments = [(one["at"], effect_name(item)) for one in item["moments"]]
        label = f"{effect_name(item)}: happened {len(moments):,} times"
        rows.append(TimelineRow("effect", label, dots(moments, scale, "again"), troubled=True))
    return rows

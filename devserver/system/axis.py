"""Round marks for the axis of a timeline: 0, 0.5 s, 1 s, 1.5 s; 0, 5 min, 10 min."""

from __future__ import annotations

import math

MOST_MARKS = 6
UNITS = (("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))
# Steps from a second on; shorter and longer ones are 1, 2 or 5 times a power of ten.
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)


def axis_marks(end: float, most: int = MOST_MARKS) -> list[tuple[float, str]]:
    """Moments from 0 to `end` (seconds) at a round distance, with their labels; at most `most` after the first."""
    if end <= 0:
        return [(0.0, "0")]
    step = _step(end / most)
    count = int(end / step * (1 + 1e-9))
    return [(step * number, mark_label(step * number, step)) for number in range(count + 1)]


def _step(least: float) -> float:
    """The shortest round step that is at least this long."""
    if 0.5 < least <= STEPS[-1]:
        return float(next(step for step in STEPS if step >= least * 0.999))
    unit = 1.0 if least <= 1 else STEPS[-1]  # tens of a day, not of a second
    power = unit * 10.0 ** math.floor(math.log10(least / unit))
    return next(power * times for times in (1, 2, 5, 10) if power * times >= least * 0.999)


def mark_label(at: float, step: float = 1.0) -> str:
    """`0`, `0.5 s`, `250 ms`, `1 min 30 s`, `2 h`."""
    if at <= 0:
        return "0"
    if step < 0.1:
        return f"{round(at * 1000, 6):g} ms"
    if at < 60 or step < 1:
        return f"{round(at, 6):g} s"
    rest, parts = round(at), []
    for unit, length in UNITS:
        count, rest = divmod(rest, int(length))
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def track_background(marks: list[tuple[float, str]], end: float, lines: list[float] | None = None) -> str:
    """The CSS background of a track from 0 to `end`: a thin line at each mark, a dashed one at each of `lines`."""
    places = [(at, "repeating-linear-gradient(var(--fault) 0 4px, #0000 4px 7px)", "1.5px") for at in lines or ()]
    places += [(at, "linear-gradient(var(--line) 0 0)", "1px") for at, _ in marks]
    whole = max(end, 1e-9)
    return ", ".join(
        f"{image} {min(100.0, max(0.0, 100 * at / whole)):.3f}% 0 / {width} 100% no-repeat"
        for at, image, width in places
    )

"""Round marks of an axis."""

from __future__ import annotations

import pytest

from devserver.system.axis import axis_marks, track_background


@pytest.mark.parametrize(
    ("end", "labels"),
    [
        (0, ["0"]),
        (0.03, ["0", "5 ms", "10 ms", "15 ms", "20 ms", "25 ms", "30 ms"]),
        (0.697, ["0", "0.2 s", "0.4 s", "0.6 s"]),
        (2.1, ["0", "0.5 s", "1 s", "1.5 s", "2 s"]),
        (6.0, ["0", "1 s", "2 s", "3 s", "4 s", "5 s", "6 s"]),
        (200, ["0", "1 min", "2 min", "3 min"]),
        (90, ["0", "15 s", "30 s", "45 s", "1 min", "1 min 15 s", "1 min 30 s"]),
        (7200, ["0", "30 min", "1 h", "1 h 30 min", "2 h"]),
        (3 * 86_400, ["0", "12 h", "1 d", "1 d 12 h", "2 d", "2 d 12 h", "3 d"]),
        (60 * 86_400, ["0", "10 d", "20 d", "30 d", "40 d", "50 d", "60 d"]),
    ],
)
def test_marks_are_round(end: float, labels: list[str]) -> None:
    """Whatever the length, the marks are those that a person would choose."""
    assert [label for _, label in axis_marks(end)] == labels


@pytest.mark.parametrize("end", [10.0**power * times for power in range(-4, 9) for times in (1, 1.7, 3.3, 9.99)])
def test_there_are_never_too_many_marks(end: float) -> None:
    """From a tenth of a millisecond to years there are at least three places and at most seven, all within the axis."""
    marks = axis_marks(end)
    assert 3 <= len(marks) <= 7
    assert all(0 <= at <= end * 1.0001 for at, _ in marks)
    assert len({label for _, label in marks}) == len(marks)


def test_the_lines_of_a_track() -> None:
    """Each mark has a line at its place; lines of faults are dashed and above."""
    background = track_background([(0.0, "0"), (1.0, "1 s")], 4.0, [2.0])
    assert [part.split()[-5] for part in background.split("no-repeat") if part.strip()] == [
        "50.000%",
        "0.000%",
        "25.000%",
    ]
    assert background.startswith("repeating-linear-gradient")

"""A run that has not ended, as the live page and the terminal show it."""

from __future__ import annotations

import re
from datetime import timedelta

import click
import pytest

from devserver.cli.render.rehearsal_timeline import map_lines, timeline_lines
from devserver.rehearsal import expect
from devserver.rehearsal.live import present_data
from devserver.rehearsal.run.sweep import SweepProgress
from devserver.rehearsal.scenario.scenario import Expectation
from tests.helpers.live_runs import going_on

EXPECT: list[Expectation] = [
    expect.completes(within=timedelta(seconds=20)),
    expect.exactly_once("add_node", "node-5", "node-6"),
    expect.never_idle_longer_than(1.5),
    expect.same_result(),
]


def states(until: float) -> list[str]:
    """The state of each expectation at a time."""
    return [item["state"] for item in present_data(going_on(until), EXPECT)["expectations"]]


def test_expectations_turn_red_as_soon_as_they_cannot_be_met() -> None:
    """What may still happen is open; what has happened twice, or came too late, is red at once."""
    assert states(0.5) == ["open", "open", "pass", "open"]
    assert states(1.2) == ["open", "open", "pass", "open"]
    assert states(2.9) == ["open", "open", "fail", "open"]
    assert states(3.5) == ["open", "fail", "fail", "open"]
    assert states(25.0) == ["fail", "fail", "fail", "open"]


def test_an_expectation_that_raises_stays_open() -> None:
    """An expectation of the user's that cannot judge half a run does not break the page."""

    class Broken:
        def judge(self, run: object) -> None:
            raise ZeroDivisionError

        def is_final(self, run: object) -> bool:
            return True

        def __str__(self) -> str:
            return "broken"

    (item,) = present_data(going_on(1.0), [Broken()])["expectations"]  # type: ignore[list-item]
    assert item == {"name": "broken", "state": "open", "evidence": "judged at the end"}


def test_the_timeline_grows() -> None:
    """Its end is now, not the last event."""
    assert [present_data(going_on(until), [])["timeline"]["end"] for until in (0.5, 2.0, 9.0)] == [0.5, 2.0, 9.0]


@pytest.mark.parametrize("width", [60, 140])
def test_the_timeline_in_a_terminal(width: int) -> None:
    """Lanes, faults, attempts and effects in the width of the terminal; what is broken is red."""
    lines = list(timeline_lines(present_data(going_on(3.5), EXPECT), width))
    plain = [click.unstyle(line) for line in lines]
    assert max(map(len, plain)) <= width
    rows = {re.split(r"\s{2,}", line.strip())[0]: line for line in plain}
    assert "x" in rows["Worker"]
    assert "#" in rows["Fault 1"]
    assert ">" in rows["add_node 1"]
    assert rows["Side effects"].count("o") == 2
    assert any(line.startswith("  FAIL add_node") for line in plain)
    assert any(line.startswith("  ...  completes") for line in plain)


def test_the_map_of_a_sweep_in_a_terminal() -> None:
    """A character for each point, in lines of the terminal's width."""
    kinds = ("pass", "fail", "unknown", "running", "open")
    points = [(f"event {number}", kinds[number % 5]) for number in range(12)]
    lines = [click.unstyle(line) for line in map_lines(SweepProgress(5, 12, 2, None, points), 5)]
    assert lines == ["  =x?>.", "  =x?>.", "  =x"]

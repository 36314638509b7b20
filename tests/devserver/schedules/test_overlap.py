"""The simulation of overlap policies by itself; test_real_runs.py compares it with the real server."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest

from devserver.schedules import OVERLAP_POLICIES, OverlapPolicy, Scheduler, SimulationSettings, simulate

BEGIN = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)
DUE = tuple(BEGIN + number * 2 * MINUTE for number in range(5))  # 9:00, 9:02, 9:04, 9:06, 9:08
SCHEDULERS: tuple[Scheduler, ...] = ("workflow", "chasm")
DONE, SKIPPED = "completed", "skipped"


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("policy", OVERLAP_POLICIES)
def test_short_runs_do_not_overlap(policy: OverlapPolicy, scheduler: Scheduler) -> None:
    """Runs that end before the next time all start on time, with every policy."""
    outcome = simulate(DUE, policy, SimulationSettings(MINUTE, scheduler=scheduler))
    assert [(start.started, start.ended) for start in outcome.starts] == [(due, due + MINUTE) for due in DUE]
    assert (outcome.ran, outcome.open_at_once, outcome.count("completed")) == ((1, 2, 3, 4, 5), 1, 5)


@pytest.mark.parametrize(
    ("policy", "scheduler", "ran", "results"),
    [
        ("skip", "workflow", (1, 4), [DONE, SKIPPED, SKIPPED, DONE, SKIPPED]),
        ("skip", "chasm", (1, 4), [DONE, SKIPPED, SKIPPED, DONE, SKIPPED]),
        ("buffer_one", "workflow", (1, 2, 4), [DONE, DONE, SKIPPED, DONE, SKIPPED]),
        ("buffer_one", "chasm", (1, 2, 3, 4), [DONE, DONE, DONE, DONE, SKIPPED]),
        ("buffer_all", "workflow", (1, 2, 3, 4, 5), [DONE] * 5),
        ("cancel_other", "workflow", (1, 2, 3, 4, 5), ["canceled"] * 4 + [DONE]),
        ("terminate_other", "chasm", (1, 2, 3, 4, 5), ["terminated"] * 4 + [DONE]),
        ("allow_all", "chasm", (1, 2, 3, 4, 5), [DONE] * 5),
    ],
)
def test_runs_of_five_minutes_every_two(
    policy: OverlapPolicy, scheduler: Scheduler, ran: tuple[int, ...], results: list[str]
) -> None:
    """Each policy handles overlapping runs as documented; the two schedulers differ in how much buffer_one buffers."""
    outcome = simulate(DUE, policy, SimulationSettings(5 * MINUTE, scheduler=scheduler))
    assert (outcome.ran, [start.result for start in outcome.starts]) == (ran, results)
    assert outcome.open_at_once == (3 if policy == "allow_all" else 1)


def test_buffered_runs_follow_each_other() -> None:
    """Each run starts when the one before it ends, so each waits longer than the one before."""
    starts = simulate(DUE, "buffer_all", SimulationSettings(5 * MINUTE)).starts
    assert [start.waited / MINUTE for start in starts] == [0, 3, 6, 9, 12]
    assert all(one.ended == other.started for one, other in itertools.pairwise(starts))


def test_a_run_that_ends_at_the_next_time_overlaps() -> None:
    """A real run starts a little late, so a run as long as the interval is still open at the next time."""
    assert simulate(DUE, "skip", SimulationSettings(2 * MINUTE)).ran == (1, 3, 5)


def test_slow_cancellation_replaces_buffered_starts() -> None:
    """A start that waits for a cancelled run to end is replaced by a later one, and never runs."""
    starts = simulate(DUE, "cancel_other", SimulationSettings(60 * MINUTE, cancel_length=3 * MINUTE)).starts
    assert [start.result for start in starts] == ["canceled", "replaced", "canceled", "replaced", DONE]
    assert [start.started for start in starts] == [DUE[0], None, BEGIN + 5 * MINUTE, None, BEGIN + 9 * MINUTE]


def test_run_that_ends_before_its_cancellation() -> None:
    """A run that ends by itself before its cancellation takes effect completes."""
    starts = simulate(DUE[:2], "cancel_other", SimulationSettings(3 * MINUTE, cancel_length=30 * MINUTE)).starts
    assert [(start.result, start.ended) for start in starts] == [
        (DONE, BEGIN + 3 * MINUTE),
        (DONE, BEGIN + 6 * MINUTE),
    ]


def test_catchup_window() -> None:
    """The newer scheduler drops a start that waited too long, and the next one keeps waiting; the older one runs it."""
    settings = {
        scheduler: SimulationSettings(5 * MINUTE, catchup_window=7 * MINUTE, scheduler=scheduler)
        for scheduler in SCHEDULERS
    }
    results = [start.result for start in simulate(DUE, "buffer_all", settings["chasm"]).starts]
    assert results == [DONE, DONE, DONE, "missed", "waiting"]
    assert simulate(DUE, "buffer_all", settings["workflow"]).count("completed") == 5


def test_no_times() -> None:
    """A schedule that is never due has no starts."""
    outcome = simulate((), "skip", SimulationSettings(MINUTE))
    assert (outcome.starts, outcome.ran, outcome.open_at_once) == ((), (), 0)

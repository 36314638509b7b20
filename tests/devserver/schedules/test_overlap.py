"""What is foreseen of overlapping starts, played through by itself; test_real_runs.py has the server's word on it."""

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
    """Runs that are over before the next time all start on time, whatever the policy."""
    outcome = simulate(DUE, policy, SimulationSettings(MINUTE, scheduler=scheduler))
    assert [(start.started, start.ended) for start in outcome.starts] == [(due, due + MINUTE) for due in DUE]
    assert (outcome.ran, outcome.open_at_once, outcome.count("completed")) == ((1, 2, 3, 4, 5), 1, 5)


@pytest.mark.parametrize(
    ("policy", "scheduler", "ran", "fates"),
    [
        ("skip", "workflow", (1, 4), [DONE, SKIPPED, SKIPPED, DONE, SKIPPED]),
        ("skip", "chasm", (1, 4), [DONE, SKIPPED, SKIPPED, DONE, SKIPPED]),
        ("buffer_one", "workflow", (1, 2, 4), [DONE, DONE, SKIPPED, DONE, SKIPPED]),
        ("buffer_one", "chasm", (1, 2, 3, 4), [DONE, DONE, DONE, DONE, SKIPPED]),
        ("buffer_all", "workflow", (1, 2, 3, 4, 5), [DONE] * 5),
        ("cancel_other", "workflow", (1, 2, 3, 4, 5), ["cancelled"] * 4 + [DONE]),
        ("terminate_other", "chasm", (1, 2, 3, 4, 5), ["terminated"] * 4 + [DONE]),
        ("allow_all", "chasm", (1, 2, 3, 4, 5), [DONE] * 5),
    ],
)
def test_runs_of_five_minutes_every_two(
    policy: OverlapPolicy, scheduler: Scheduler, ran: tuple[int, ...], fates: list[str]
) -> None:
    """Each policy does with overruns what it is there for; the two schedulers differ in what buffer_one lets wait."""
    outcome = simulate(DUE, policy, SimulationSettings(5 * MINUTE, scheduler=scheduler))
    assert (outcome.ran, [start.fate for start in outcome.starts]) == (ran, fates)
    assert outcome.open_at_once == (3 if policy == "allow_all" else 1)


def test_buffered_runs_follow_each_other() -> None:
    """Each begins when the one before it ends, and waits for longer than that one did."""
    starts = simulate(DUE, "buffer_all", SimulationSettings(5 * MINUTE)).starts
    assert [start.waited / MINUTE for start in starts] == [0, 3, 6, 9, 12]
    assert all(one.ended == other.started for one, other in itertools.pairwise(starts))


def test_a_run_that_ends_at_the_next_time_overlaps() -> None:
    """A real run begins a little after its time, so one of just the interval's length is still open at the next."""
    assert simulate(DUE, "skip", SimulationSettings(2 * MINUTE)).ran == (1, 3, 5)


def test_a_run_that_takes_its_time_to_end() -> None:
    """What waits for a run that is being cancelled is replaced by what comes meanwhile, and never runs."""
    starts = simulate(DUE, "cancel_other", SimulationSettings(60 * MINUTE, cancel_length=3 * MINUTE)).starts
    assert [start.fate for start in starts] == ["cancelled", "replaced", "cancelled", "replaced", DONE]
    assert [start.started for start in starts] == [DUE[0], None, BEGIN + 5 * MINUTE, None, BEGIN + 9 * MINUTE]


def test_a_run_that_is_over_before_its_cancellation() -> None:
    """A run that would end by itself sooner than by being cancelled completes."""
    starts = simulate(DUE[:2], "cancel_other", SimulationSettings(3 * MINUTE, cancel_length=30 * MINUTE)).starts
    assert [(start.fate, start.ended) for start in starts] == [
        (DONE, BEGIN + 3 * MINUTE),
        (DONE, BEGIN + 6 * MINUTE),
    ]


def test_what_waits_for_longer_than_the_catchup_window() -> None:
    """The newer scheduler drops it, and what waited behind it waits on; the older one runs it all the same."""
    rules = {
        scheduler: SimulationSettings(5 * MINUTE, catchup_window=7 * MINUTE, scheduler=scheduler)
        for scheduler in SCHEDULERS
    }
    fates = [start.fate for start in simulate(DUE, "buffer_all", rules["chasm"]).starts]
    assert fates == [DONE, DONE, DONE, "missed", "waiting"]
    assert simulate(DUE, "buffer_all", rules["workflow"]).count("completed") == 5


def test_no_times() -> None:
    """A schedule that is never due again has no starts."""
    outcome = simulate((), "skip", SimulationSettings(MINUTE))
    assert (outcome.starts, outcome.ran, outcome.open_at_once) == ((), (), 0)

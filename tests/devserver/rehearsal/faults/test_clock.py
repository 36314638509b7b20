"""Virtual time: moments, and a clock that is moved ahead, on runbooks that survive it and on ones that do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from devserver.rehearsal import at, expect, faults
from devserver.rehearsal.environment.run_context import RunContext
from devserver.rehearsal.errors import ScenarioInvalid
from devserver.rehearsal.ledger import read
from devserver.rehearsal.scenario.events import TriggerEvent
from devserver.rehearsal.scenario.plan import Action
from devserver.rehearsal.scenario.scenario import Scenario
from devserver.rehearsal.scenario.view import RunView
from tests.devserver.rehearsal.conftest import Rehearse, scene

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ALL = [expect.completes(), expect.replays()]


@dataclass
class Approve:
    """An action that sends the approval."""

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Send it."""
        await context.handle.signal("approve")


@dataclass
class Count:
    """An action that records the number of checks so far."""

    counts: list[int] = field(default_factory=list)

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Record it."""
        self.counts.append(len(read(context.ledger)))


def days(workflow: str, *plan: object, **more: object) -> Scenario:
    """Return a scenario with a virtual clock."""
    return scene("virtual_days", workflow, *plan, **{"time_skipping": True, "expect": ALL, **more})


def clock_moved(view: RunView) -> bool:
    """Return whether a fault has been completed."""
    return any(mark.lane == "fault" and mark.until is not None for mark in view.marks)


def test_the_clock_stops_at_a_virtual_moment(rehearse: Rehearse) -> None:
    """After 63 virtual hours exactly ten rounds of six hours have run; then the clock continues."""
    count = Count()
    plan = [at.virtual(63 * HOUR).do(count), at.virtual(6 * HOUR - timedelta(seconds=1)).do(count)]
    result = rehearse(days("Rounds", *plan, expect=[*ALL, expect.exactly_once("check", *map(str, range(20)))]))
    assert result.verdict == "pass", result.reason
    assert count.counts == [0, 10]


@pytest.mark.parametrize("fault", [faults.kill_server(down=0.2), faults.kill_worker()], ids=str)
def test_days_survive_an_outage(rehearse: Rehearse, fault: Action) -> None:
    """The clock continues when server and worker are back, and no round is lost."""
    expected = [*ALL, expect.exactly_once("check", *map(str, range(20)))]
    result = rehearse(days("Rounds", at.virtual(2 * DAY + HOUR).do(fault), expect=expected))
    assert result.verdict == "pass", result.reason


def test_days_survive_a_restored_snapshot(rehearse: Rehearse) -> None:
    """A snapshot taken while the clock was held is restored, and its clock continues."""
    plan = [at.virtual(DAY).do(faults.snapshot_database()), at.virtual(2 * DAY).do(faults.restore_database())]
    result = rehearse(days("Rounds", *plan, expect=[*ALL, expect.at_least_once("check", *map(str, range(20)))]))
    assert result.verdict == "pass", result.reason


def test_an_approval_may_come_two_days_late(rehearse: Rehearse) -> None:
    """The clock moves while no timer runs, so a runbook that waits for a person can be rehearsed."""
    result = rehearse(days("Patient", at.virtual(2 * DAY).do(Approve())))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == 48


def test_a_late_approval_fails_a_strict_runbook(rehearse: Rehearse) -> None:
    """A runbook that compares times sees two days between them."""
    result = rehearse(days("Strict", at.virtual(2 * DAY).do(Approve())))
    assert result.verdict == "fail"
    assert "the approval is stale" in result.reason


@pytest.mark.parametrize(("workflow", "verdict"), [("Patient", "pass"), ("Strict", "fail")])
def test_a_clock_moves_ahead(rehearse: Rehearse, workflow: str, verdict: str) -> None:
    """Thirty hours pass at once, so the approval that comes then is late."""
    ahead = at.event("WorkflowTaskCompleted").do(faults.advance_clock(30 * HOUR))
    result = rehearse(days(workflow, ahead, at.when(clock_moved).do(Approve())))
    assert result.verdict == verdict, result.reason
    assert result.run is not None
    if verdict == "pass":
        assert result.run.output == 30


def test_a_clock_moves_on_from_a_virtual_moment(rehearse: Rehearse) -> None:
    """A virtual moment and a clock fault can be combined: one day, and six hours more."""
    ahead = at.virtual(DAY).do(faults.advance_clock(6 * HOUR))
    result = rehearse(days("Patient", ahead, at.when(clock_moved).do(Approve())))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    assert result.run.output == 30


def test_a_child_has_its_own_clock(rehearse: Rehearse) -> None:
    """A child that starts while its parent's clock is held has a running clock."""
    count = Count()
    result = rehearse(days("Delegates", at.virtual(DAY + HOUR).do(count)))
    assert result.verdict == "pass", result.reason
    assert count.counts == [0]


def test_a_virtual_moment_after_the_end(rehearse: Rehearse) -> None:
    """A runbook of five days never reaches the sixth."""
    result = rehearse(days("Rounds", at.virtual(6 * DAY).do(faults.kill_worker())))
    assert result.verdict == "unknown"
    assert "6 days, 0:00:00 of virtual time after the start" in result.reason
    assert "its moment never came" in result.reason


def test_a_clock_that_cannot_move_that_far_is_not_a_pass(rehearse: Rehearse) -> None:
    """The runbook ends before the clock has moved."""
    result = rehearse(days("Rounds", at.activity_starts("check", nth=2).do(faults.advance_clock(6 * DAY))))
    assert result.verdict == "unknown"
    assert "the runbook ended before its clock had advanced that far" in result.reason


@pytest.mark.parametrize(
    "plan",
    [at.virtual(DAY).do(faults.kill_server()), at.elapsed(0).do(faults.advance_clock(DAY))],
    ids=["moment", "fault"],
)
def test_virtual_time_needs_a_virtual_clock(rehearse: Rehearse, plan: object) -> None:
    """A plan with virtual time in a scenario without it is refused, and the hint shows the setting."""
    with pytest.raises(ScenarioInvalid) as caught:
        rehearse(scene("virtual_days", "Rounds", plan))
    assert caught.value.hint == "add Scenario(..., time_skipping=True)"

"""Faults of the server's process: each on a runbook that survives it and on one that does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from devserver.rehearsal import RehearsalSettings, at, expect, faults
from devserver.rehearsal.environment.run_context import RunContext
from devserver.rehearsal.run.runner import rehearse_on
from devserver.rehearsal.scenario.events import TriggerEvent
from devserver.rehearsal.scenario.plan import Action
from devserver.rehearsal.scenario.preflight import check
from devserver.rehearsal.scenario.timeline import Mark
from devserver.rehearsal.scenario.view import RunView
from tests.devserver.rehearsal.conftest import Rehearse, Stand, scene

STARTS = at.activity_starts("step", nth=2)
ONCE = [expect.completes(), expect.exactly_once("step", "one", "two", "three"), expect.replays()]
FAULTS = [(faults.kill_server, "killed"), (faults.stop_server, "stopped"), (faults.freeze_server, "frozen")]


@pytest.mark.parametrize(("fault", "ended"), FAULTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_careful_runbook_survives(rehearse: Rehearse, fault: Callable[[float], Action], ended: str) -> None:
    """The runbook continues when the server is back; the timeline shows the outage."""
    result = rehearse(scene("steps", "Sure", STARTS.do(fault(0.4)), expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    first, second = (mark for mark in result.run.marks if mark.lane == "server")
    assert first.detail["ended"] == ended
    assert first.until is not None
    assert second.at - first.until >= 0.4


@pytest.mark.parametrize(("fault", "ended"), FAULTS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_a_runbook_with_a_short_timeout_fails(rehearse: Rehearse, fault: Callable[[float], Action], ended: str) -> None:
    """A runbook with a timeout of 0.7 s does not survive a longer outage."""
    result = rehearse(scene("steps", "Punctual", STARTS.do(fault(0.8))))
    assert result.verdict == "fail"
    assert "too late" in result.reason


def test_outages_run_one_after_the_other(rehearse: Rehearse) -> None:
    """A second outage waits for the end of the first, so that both happen as planned."""
    plan = STARTS.do(faults.kill_server(down=0.2), faults.freeze_server(0.2), faults.stop_server(down=0.2))
    result = rehearse(scene("steps", "Sure", plan, expect=ONCE))
    assert result.verdict == "pass", result.reason
    assert result.run is not None
    ends = [mark.detail["ended"] for mark in result.run.marks if mark.lane == "server" and "ended" in mark.detail]
    assert ends == ["killed", "frozen", "stopped"]


@pytest.mark.parametrize(
    "fault", [faults.kill_server(3600), faults.freeze_server(3600), faults.fill_disk(3600)], ids=str
)
def test_an_outage_ends_with_the_rehearsal(rehearse: Rehearse, stand: Stand, fault: Action) -> None:
    """An hour's outage ends at the runbook's limit; the next run has a running server."""
    environment = stand.environment
    result = rehearse(scene("steps", "Sure", STARTS.do(fault), limit=1))
    assert result.verdict == "fail", result.reason
    assert "it did not end within 1 s" in result.reason
    assert rehearse(scene("steps", "Sure")).verdict == "pass"
    assert stand.environment is environment


def test_a_server_that_died_by_itself(rehearse: Rehearse, stand: Stand) -> None:
    """The fault says why it was not possible, and the crash is a finding that fails the rehearsal."""
    environment = stand.environment

    def killed(view: RunView) -> bool:
        if view.effects:
            environment.server.kill()
        return bool(view.effects)

    dead = at.when(killed, name="somebody kills the server")
    planned: list[Action] = [
        faults.kill_server(),
        faults.stop_server(),
        faults.freeze_server(1),
        faults.lose_database(),
        faults.lock_database(1),
        faults.fill_disk(1),
    ]
    result = rehearse(scene("steps", "Slow", dead.do(*planned), limit=1, expect=[]))
    assert result.verdict == "fail"
    assert "the server keeps running: it ended by itself" in result.reason
    assert result.run is not None
    assert result.run.steps[0].problem == "the server is already down"
    problems = [mark.detail.get("problem") for mark in result.run.marks if mark.lane == "fault"]
    assert problems == ["the server is already down"] * len(planned)


class Slow:
    """An action that starts slowly."""

    done = False

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Start, for longer than the runbook runs."""
        await context.handle.result()
        await asyncio.sleep(0.1)
        self.done = True


def test_a_started_fault_is_completed_although_the_runbook_ends(rehearse: Rehearse) -> None:
    """A fault that has started is completed, so that the verdict describes what happened."""
    slow = Slow()
    result = rehearse(scene("steps", "Sure", at.when(lambda view: bool(view.effects), "a step acted").do(slow)))
    assert result.verdict == "pass", result.reason
    assert slow.done


def test_a_late_outage_is_not_a_pass(rehearse: Rehearse) -> None:
    """A freeze that waits for another outage until the runbook's limit did not happen, and the verdict says so."""
    step = STARTS.do(faults.freeze_server(3600))
    begun = at.when(lambda view: any(mark.lane == "fault" for mark in view.marks), "the first one has begun")
    late = begun.do(faults.freeze_server(1))
    result = rehearse(scene("steps", "Sure", step, late, limit=1, expect=[]))
    assert result.verdict != "pass"
    assert result.run is not None
    assert result.run.steps[1].problem == "the runbook ended before this could begin"


LONG = [faults.freeze_server(3600), faults.cut_network(3600), faults.lock_database(3600), faults.fill_disk(3600)]


@pytest.mark.parametrize("fault", LONG, ids=str)
def test_faults_end_when_the_rehearsal_is_interrupted(rehearse: Rehearse, stand: Stand, fault: Action) -> None:
    """Ctrl-C restores a frozen server, a cut network, a locked database and a full disk."""
    environment = stand.environment
    scenario = scene("steps", "Sure", STARTS.do(fault))

    async def interrupted() -> None:
        loop = asyncio.get_running_loop()
        begun = asyncio.Event()

        def on_mark(mark: Mark) -> None:
            if mark.lane == "fault":
                loop.call_later(0.3, begun.set)

        folder = stand.home / f"broken-off-{fault}".replace(" ", "-").replace("/", "-")
        settings = RehearsalSettings(folder=folder, on_mark=on_mark)
        running = asyncio.create_task(rehearse_on(environment, scenario, check(scenario), settings, folder))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(interrupted())
    assert rehearse(scene("steps", "Sure")).verdict == "pass"
    assert stand.environment is environment

"""The environment of a runbook: created before each run, removed after it, and available to checks and actions."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from devserver.rehearsal import at, expect
from devserver.rehearsal.environment.fixture import scenario_fixture
from devserver.rehearsal.environment.run_context import RunContext
from devserver.rehearsal.errors import FixtureFailed
from devserver.rehearsal.scenario.events import TriggerEvent
from devserver.rehearsal.scenario.view import RunView

from ..conftest import Rehearse, scene

World = Callable[[Path], AbstractContextManager[str]]


def recording_world(log: list[str]) -> World:
    """An environment that records its creation and removal."""

    @contextlib.contextmanager
    def fixture(folder: Path) -> Iterator[str]:
        assert folder.is_dir()
        log.append(f"made for {folder.name}")
        yield folder.name
        log.append(f"gone for {folder.name}")

    return fixture


class Touch:
    """A custom action on the custom environment."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    async def begin(self, context: RunContext, trigger: TriggerEvent) -> None:
        """Record the call."""
        self._log.append(f"touched {context.fixture}")


def test_every_run_has_its_own_environment(rehearse: Rehearse) -> None:
    """It exists from the first check to the last, also in the run without faults, and then it is removed."""
    log: list[str] = []

    def is_well(view: RunView) -> bool:
        log.append(f"looked at {view.fixture} in {view.folder.name}")
        return True

    scenario = scene(
        "steps",
        "OneSure",
        at.activity_starts("step").do(Touch(log)),
        expect=[expect.same_result()],
        steady_state=[is_well],
        fixture=recording_world(log),
    )
    assert rehearse(scenario).verdict == "pass"
    view = "looked at with-faults in with-faults"
    assert log == [
        *("made for without-faults", "gone for without-faults"),
        *("made for with-faults", view, "touched with-faults", view, "gone for with-faults"),
    ]


def test_setup_fails(rehearse: Rehearse) -> None:
    """The verdict has the reason, and the runbook is not started."""

    def fixture(folder: Path) -> AbstractContextManager[None]:
        raise OSError("no such database")

    with pytest.raises(FixtureFailed, match="cannot set up the scenario's fixture: OSError: no such database"):
        rehearse(scene("steps", "OneSure", fixture=fixture))


def test_teardown_fails(rehearse: Rehearse) -> None:
    """The verdict has the reason."""

    @contextlib.contextmanager
    def fixture(folder: Path) -> Iterator[None]:
        yield
        raise OSError("it does not stop")

    with pytest.raises(FixtureFailed, match="cannot tear down the scenario's fixture: OSError: it does not stop"):
        rehearse(scene("steps", "OneSure", fixture=fixture))


def test_interrupted_during_setup(tmp_path: Path) -> None:
    """Ctrl-C removes an environment that is being created before the rehearsal ends."""
    log: list[str] = []
    making, go_on = threading.Event(), threading.Event()

    @contextlib.contextmanager
    def fixture(folder: Path) -> Iterator[None]:
        making.set()
        assert go_on.wait(10)
        log.append("created")
        yield
        log.append("gone")

    async def enter() -> None:
        async with scenario_fixture(scene("steps", "OneSure", fixture=fixture), tmp_path):
            log.append("used")

    async def main() -> None:
        entering = asyncio.create_task(enter())
        await asyncio.to_thread(making.wait, 10)
        entering.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await entering

    asyncio.run(main())
    assert log == ["created", "gone"]

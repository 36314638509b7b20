"""The thread that draws the live page."""

from __future__ import annotations

import httpx

from devserver.rehearsal import Scenario
from devserver.rehearsal.live import LivePage
from devserver.rehearsal.scenario.result import RehearsalRun
from tests.helpers.live_runs import going_on
from tests.helpers.waiting import LIMIT, eventually


def test_a_picture_that_fails_is_drawn_again() -> None:
    """What cannot be read at a moment, such as half a line of a log, does not stop the page."""
    asked: list[float] = []

    def present() -> RehearsalRun:
        asked.append(1.0)
        if len(asked) < 3:
            raise ValueError("half a line")
        return going_on(1.0)

    with LivePage(1) as page:
        page.begin(Scenario(name="steps", runbook="steps", workflow="Nothing"), 1, 7, None)
        page.run(present, undisturbed=False)
        with httpx.stream("GET", f"{page.url}events", timeout=LIMIT, verify=False):
            eventually(lambda: len(asked) > 3)

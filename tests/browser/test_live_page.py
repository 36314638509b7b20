"""The page of a rehearsal that runs, in a real browser: it grows, becomes the report, or says that there is none."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from devserver.executables.models import Executable
from devserver.rehearsal import Scenario, expect, report
from devserver.rehearsal.live import LivePage
from devserver.rehearsal.run.sweep import SweepProgress
from devserver.rehearsal.scenario.scenario import Expectation
from devserver.rehearsal.scenario.timeline import Mark
from tests.conftest import command
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import CHROMIUM, TOO_WIDE, Browser
from tests.helpers.live_runs import going_on
from tests.helpers.rehearsed import result, twice
from tests.helpers.waiting import LIMIT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

HOSTILE = "<img src=x onerror=\"document.title='owned'\">'&amp;</script><script>document.title='owned'</script>"
LIVE = "document.getElementById('connection').dataset.state === 'live'"
TEXT = "document.body.innerText"
SCENARIO = """
from devserver.rehearsal import Scenario, expect
SCENARIOS = [Scenario(name="it waits", runbook="waiting", workflow="Waits", limit=300.0, expect=[expect.completes()])]
"""
RUNBOOK = """
from temporalio import workflow
@workflow.defn
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: False)
"""


@pytest.fixture(scope="module")
def chromium(chromium: Browser) -> Browser:
    """The page, with scripts."""
    chromium.scripts(on=True)
    return chromium


def scenario(name: str) -> Scenario:
    """A scenario that expects what the run cannot keep."""
    expected: list[Expectation] = [expect.completes(), expect.exactly_once("add_node")]
    return Scenario(name=name, runbook="steps", workflow="Steps", expect=expected)


def test_a_rehearsal_from_its_start_to_its_report(chromium: Browser) -> None:
    """Lanes and events grow, an expectation turns red, and the page becomes the report that would be written."""
    with LivePage(2) as page:
        page.begin(scenario("scale up"), 1, 7, None)
        now = [0.9]
        page.run(lambda: going_on(now[0]), undisturbed=False)
        chromium.open(page.url, width=1400)
        chromium.eventually(LIVE)
        assert "scale up" in chromium.ask(TEXT)
        assert "Fault 1" not in chromium.ask("document.getElementById('timeline').innerText")
        chromium.ask("document.querySelector('#timeline summary').focus()")
        chromium.press("Enter")
        now[0] = 2.5
        chromium.eventually("document.getElementById('timeline').innerText.includes('Fault 1')")
        assert chromium.ask("document.querySelector('#timeline details').open")  # as the person left it
        assert chromium.ask("document.activeElement.tagName") == "SUMMARY"
        now[0] = 3.5
        chromium.eventually("document.getElementById('judgement').innerText.includes('happened 2 times')")
        assert "✗ Fail" in chromium.ask("document.querySelector('.state-fail').innerText")
        for width, dark in ((1400, True), (400, False), (400, True)):
            chromium.open(page.url, width=width, dark=dark)
            chromium.eventually(LIVE)
            assert chromium.ask("document.documentElement.scrollWidth") == width
            assert json.loads(chromium.ask(TOO_WIDE)) == []
            check_accessible(chromium)
        check_focus_order(chromium)
        shape = report.data([result(twice())])
        page.end(shape["results"][0])
        page.finish(shape)
        chromium.eventually("document.getElementById('connection').innerText.includes('Finished')")
    assert "A side effect was repeated" in chromium.ask(TEXT)
    assert chromium.ask("document.title").startswith("Fail")
    assert "Fail" in chromium.ask("document.getElementById('announcement').innerText")
    check_accessible(chromium)
    assert chromium.ask("document.querySelectorAll('.copyable button').length") == 1


def test_a_sweep_fills_its_map(chromium: Browser) -> None:
    """Each point has its place from the start; what fails is named."""
    with LivePage(1) as page:
        page.begin(scenario("swept"), 1, 7, "worker")
        points = [(f"event {number}, {HOSTILE}", "open") for number in range(90)]
        page.swept(SweepProgress(0, 90, 0, None, points))
        chromium.open(page.url, width=400)
        chromium.eventually(LIVE)
        assert chromium.ask("document.querySelectorAll('.map i.open').length") == 90
        points[:3] = [(points[0][0], "pass"), (points[1][0], "fail"), (points[2][0], "running")]
        page.swept(SweepProgress(2, 90, 1, 12.0, points))
        chromium.eventually("document.querySelectorAll('.map i.pass').length === 1")
        assert "2 of 90 points done, 1 not passed, about 12.0 s left" in chromium.ask(TEXT)
        assert f"event 1, {HOSTILE}" in chromium.ask(TEXT)
        check_accessible(chromium)
        page.finish(report.data([]))


def test_hostile_texts_are_only_shown(chromium: Browser) -> None:
    """Names, failures and log lines of others are text, in the first document and in what follows."""
    evil = replace(
        going_on(3.5, workflow_id=HOSTILE, worker_log=[HOSTILE], server_log=[HOSTILE]),
        marks=[
            Mark(0.1, "activity", HOSTILE, 0.2, {"id": HOSTILE}),
            Mark(0.3, "fault", HOSTILE, None, {"trigger": HOSTILE}),
        ],
    )
    with LivePage(1) as page:
        page.begin(scenario(HOSTILE), 1, 7, None)
        chromium.open(page.url, width=1400)
        chromium.eventually(LIVE)
        page.run(lambda: evil, undisturbed=False)
        chromium.eventually("document.getElementById('logs').innerText.includes('<img')")
        shape = report.data([result(twice(), name=HOSTILE, reason=HOSTILE, file=HOSTILE)])
        page.finish(shape)
        chromium.eventually("document.getElementById('connection').innerText.includes('Finished')")
    assert "owned" not in chromium.ask("document.title").replace(HOSTILE, "")
    assert chromium.ask("document.querySelectorAll('main img, main script').length") == 0


@contextlib.contextmanager
def rehearsing(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real rehearsal that does not end, and the address of its live page."""
    (folder / "waits.py").write_text(SCENARIO)
    (folder / "waiting.py").write_text(RUNBOOK)
    process = subprocess.Popen(
        command("rehearse", str(folder / "waits.py"), "--live"), stderr=subprocess.PIPE, text=True, cwd=folder
    )
    assert process.stderr is not None
    try:
        lines: list[str] = []
        while not (found := re.search(r"live: (http\S+)", lines[-1] if lines else "")):
            lines.append(process.stderr.readline())
            assert lines[-1], lines
        yield process, found[1]
    finally:
        process.kill()
        process.wait(LIMIT)
        process.stderr.close()


def test_a_rehearsal_that_is_killed_under_its_page(chromium: Browser, tmp_path: Path, installed: Executable) -> None:
    """The page keeps what it shows, and says that there is no result."""
    with rehearsing(tmp_path) as (process, url):
        chromium.open(url, width=1400)
        chromium.eventually("!!document.querySelector('#timeline .lane-activity, #timeline ol li')")
        process.kill()
        chromium.eventually("document.getElementById('connection').innerText.includes('ended without a result')")
        assert chromium.ask("document.querySelectorAll('#timeline ol li').length") > 0

"""A rehearsal's report in a real browser: on phones and desktops, in dark mode and in print."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report import ReportStatus
from devserver.rehearsal.scenario.result import PointResult, Sweep
from tests.helpers.browser import CHROMIUM, TOO_WIDE, Browser, browser, open_readable
from tests.helpers.rehearsed import effect, result, run, twice

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

LONG = "a_name_without_any_place_to_break_it_" * 8


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests of this module."""
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A report with everything: failures, a sweep, long names, an interruption."""
    sweep = Sweep("worker", run(), [PointResult(7, "event 7 TimerFired", "fail", "it hangs", None, 1.0, twice())], [])
    results = [
        result(twice()),
        result(twice(effects=[effect(1, LONG), effect(2, LONG, 2)], failure=LONG, stuck=[LONG]), name=LONG),
        result(None, name="swept", sweep=sweep),
        result(run(), verdict="pass", name="a good one", judgements=[]),
    ]
    return report.write(results, tmp_path / "report", ReportStatus("interrupted by Ctrl-C", ["another"]))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 400, 1280])
def test_the_page_fits_and_is_readable(chromium: Browser, page: Path, width: int, dark: bool) -> None:
    """From a small phone to a desktop, in light and dark mode, nothing overflows and all text has enough contrast."""
    open_readable(chromium, page, width=width, dark=dark)


def test_dark_mode(chromium: Browser, page: Path) -> None:
    """A browser that prefers dark pages gets one."""
    grounds = []
    for dark in (False, True):
        chromium.open(page, width=400, dark=dark)
        grounds.append(chromium.ask("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def test_the_verdict_and_its_reason_are_on_the_first_screen_of_a_phone(chromium: Browser, page: Path) -> None:
    """Without scrolling and without scripts: fail, which effect happened twice, and when."""
    chromium.open(page, width=360, height=780)
    seen = chromium.ask(
        "[...document.querySelectorAll('header .verdict, header .verdict *')]"
        ".filter(e => e.getBoundingClientRect().bottom <= innerHeight).map(e => e.innerText).join(' ')"
    )
    assert "Fail" in seen
    assert "add_node node-5 happened twice: at 1.050 s (attempt 1) and at 3.250 s (attempt 2)" in seen
    assert "This report is incomplete" in seen


def test_the_timeline_has_lanes_with_correct_positions(chromium: Browser, page: Path) -> None:
    """Server, worker, fault, activity and effects have lanes; the worker's outage is drawn between its times."""
    chromium.open(page, width=1000)
    labels = json.loads(
        chromium.ask(
            "JSON.stringify([...document.querySelector('svg.timeline').querySelectorAll('text.label')]"
            ".map(e => (e.querySelector('.wide') || e).textContent.trim()))"
        )
    )
    assert labels[:3] == [
        "Server: up",
        "Worker: killed, down 1.00 s",
        "Fault 1: the worker is killed (-9) and down for 1 s",
    ]
    assert labels[3:] == [
        "add_node 1: done, result lost; completed",
        "Side effects: 2",
        "add_node node-5: happened 2 times",
    ]
    left, right, width = json.loads(
        chromium.ask(
            "(() => { const all = document.querySelector('svg.timeline'); const own = all.getBoundingClientRect();"
            "const down = all.querySelector('rect.down').getBoundingClientRect();"
            "return JSON.stringify([down.left - own.left, down.right - own.left, own.width]) })()"
        )
    )
    assert left / width == pytest.approx(0.01 + 0.95 * 1.1 / 5.2, abs=0.01)
    assert right / width == pytest.approx(0.01 + 0.95 * 2.1 / 5.2, abs=0.01)
    assert chromium.ask("document.querySelectorAll('svg.timeline circle.again').length") >= 2


def test_signs_are_not_by_colour_alone(chromium: Browser, page: Path) -> None:
    """Verdicts have words and signs; an outage is hatched, and a lost result has its own mark."""
    chromium.open(page, width=1000)
    badges = set(
        json.loads(chromium.ask("JSON.stringify([...document.querySelectorAll('.badge')].map(e => e.innerText))"))
    )
    assert {"\N{CHECK MARK} Pass", "\N{BALLOT X} Fail"} <= badges
    assert "hatch" in chromium.ask("getComputedStyle(document.querySelector('svg.timeline rect.down')).fill")
    assert chromium.ask("document.querySelectorAll('svg.timeline use[href=\"#sign-lost\"]').length") >= 1


def test_print_shows_everything(chromium: Browser, page: Path) -> None:
    """In print nothing is folded or cut off, and the background is white, also in dark mode."""
    chromium.open(page, width=700, media="print", dark=True)
    assert chromium.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert json.loads(chromium.ask(TOO_WIDE)) == []
    shown = chromium.ask("[...document.querySelectorAll('details pre')].every(e => e.checkVisibility())")
    assert shown is True
    assert chromium.pdf().startswith(b"%PDF")


def test_logs_unfold_without_a_script(chromium: Browser, page: Path) -> None:
    """Logs are folded at first, so that the page is short, and open on a click."""
    chromium.open(page, width=400)
    visible = "document.querySelector('#r1 details pre').checkVisibility()"
    assert chromium.ask(visible) is False
    chromium.click("#r1 details summary")
    assert chromium.ask(visible) is True
    assert "connected again" in chromium.ask("document.querySelector('#r1 details').innerText")

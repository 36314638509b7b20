"""A rehearsal's report in a real browser: on phones and desktops, in dark mode and in print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report import ReportStatus
from devserver.rehearsal.scenario.result import PointResult, Sweep
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import CHROMIUM, TOO_WIDE, Browser, open_readable
from tests.helpers.rehearsed import effect, result, run, twice

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

LONG = "a_name_without_any_place_to_break_it_" * 8


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
            "JSON.stringify([...document.querySelectorAll('#r1 .timeline .lane .label')].map(e => e.innerText.trim()))"
        )
    )
    assert labels == [
        "Server up",
        "Worker killed, down 1.00 s (planned 1 s)",
        "Fault 1 the worker is killed (-9) and down for 1 s",
        "add_node 1 2 attempts: done, result lost; completed",
        "Side effects 2",
        "add_node node-5 happened 2 times",
    ]
    left, right, width = json.loads(
        chromium.ask(
            "(() => { const down = document.querySelector('#r1 .lane .bar.down');"
            "const own = down.parentElement.getBoundingClientRect(), r = down.getBoundingClientRect();"
            "return JSON.stringify([r.left - own.left, r.right - own.left, own.width]) })()"
        )
    )
    assert left / width == pytest.approx(1.1 / 5.2, abs=0.01)
    assert right / width == pytest.approx(2.1 / 5.2, abs=0.01)
    wait = chromium.ask("document.querySelector('#r1 .lane .bar.wait').getBoundingClientRect().width")
    assert wait / width == pytest.approx(1.9 / 5.2, abs=0.01), "between the attempts"
    assert chromium.ask("document.querySelectorAll('#r1 .lane .dot.again').length") == 2


@pytest.mark.parametrize("width", [320, 400, 700, 1400])
def test_labels_are_beside_or_above_the_tracks_and_never_cut(chromium: Browser, page: Path, width: int) -> None:
    """At every width no label overlaps a track, where the lines are, and no label is cut; the tracks take the rest."""
    chromium.open(page, width=width)
    apart = chromium.ask(
        "[...document.querySelectorAll('.lane')].map(row => [...row.children].map(e => e.getBoundingClientRect()))"
        ".every(([a, b]) => a.right <= b.left + 0.5 || a.bottom <= b.top + 0.5)"
    )
    assert apart is True
    assert chromium.ask("[...document.querySelectorAll('.lane .label')].every(e => e.scrollWidth <= e.clientWidth + 1)")
    track = chromium.ask("document.querySelector('#r1 .lane .track').getBoundingClientRect().right")
    assert track >= width - 70


def test_the_whole_width_is_used(chromium: Browser, page: Path) -> None:
    """On a desktop of 1400 pixels the verdict, the timeline and the tables are nearly as wide as the page."""
    chromium.open(page, width=1400)
    for selector in (".verdict", "#r1 .timeline", "#r1 table.expectations", "#r1 dl.figures"):
        assert chromium.ask(f"document.querySelector('{selector}').getBoundingClientRect().width") > 1300, selector


def test_a_tap_on_a_bar_shows_its_words(chromium: Browser, page: Path) -> None:
    """Without a script, a tap on the outage opens the table of events at its line."""
    chromium.open(page, width=400)
    row = "document.querySelector(document.querySelector('#r1 .lane .bar.down').getAttribute('href'))"
    assert chromium.ask(f"{row}.checkVisibility()") is False
    chromium.click("#r1 .lane .bar.down")
    assert chromium.ask(f"{row}.checkVisibility()") is True
    assert "killed, down 1.00 s (planned 1 s)" in chromium.ask(f"{row}.innerText")
    assert chromium.ask("document.querySelector(':target').innerText") == chromium.ask(f"{row}.innerText")


def test_the_command_can_be_copied(chromium: Browser, page: Path) -> None:
    """A button copies the command, by pointer or keyboard, and says so; without scripts there is none."""
    chromium.open(page, width=1000)
    assert chromium.ask("document.querySelectorAll('button').length") == 0
    chromium.scripts(on=True)
    chromium.open(page, width=1000)
    chromium.ask("window.taken = []; navigator.clipboard.writeText = async text => window.taken.push(text)")
    chromium.click("#r1 .copyable button")
    chromium.ask("document.querySelector('#r3 .copyable button').focus()")
    chromium.press("Enter")
    copied = "JSON.stringify([window.taken, document.querySelector('#r3 [role=status]').textContent])"
    taken, said = json.loads(chromium.ask(copied))
    assert taken == [
        "devserver rehearse 'scale up.py' --only 'scale up' --seed 7",
        "devserver rehearse 'scale up.py' --only swept --seed 7 --sweep worker",
    ]
    assert said.strip() == "copied"
    chromium.scripts(on=False)


def test_signs_are_not_by_colour_alone(chromium: Browser, page: Path) -> None:
    """Verdicts have words and signs; an outage is hatched, and a lost result has its own mark."""
    chromium.open(page, width=1000)
    badges = set(
        json.loads(chromium.ask("JSON.stringify([...document.querySelectorAll('.badge')].map(e => e.innerText))"))
    )
    assert {"\N{CHECK MARK} Pass", "\N{BALLOT X} Fail"} <= badges
    assert "gradient" in chromium.ask("getComputedStyle(document.querySelector('#r1 .lane .bar.down')).backgroundImage")
    assert chromium.ask("getComputedStyle(document.querySelector('#r1 .lane .bar.lost'), '::after').content") == '"?"'


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_is_accessible(chromium: Browser, page: Path, width: int, dark: bool) -> None:
    """axe finds no fault, with the table of events closed and open, and Tab reaches everything in order."""
    chromium.scripts(on=True)
    chromium.open(page, width=width, dark=dark)
    check_accessible(chromium)
    check_focus_order(chromium)
    chromium.click("#r1 details.events summary")
    check_accessible(chromium)
    chromium.scripts(on=False)


def test_print_shows_everything(chromium: Browser, page: Path) -> None:
    """In print nothing is folded or cut off, and the background is white, also in dark mode."""
    chromium.open(page, width=700, media="print", dark=True)
    assert chromium.ask("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert json.loads(chromium.ask(TOO_WIDE)) == []
    shown = chromium.ask("[...document.querySelectorAll('details pre')].every(e => e.checkVisibility())")
    assert shown is True
    assert chromium.ask("[...document.querySelectorAll('details.events tr')].every(e => e.checkVisibility())") is True
    assert chromium.pdf().startswith(b"%PDF")


def test_logs_unfold_without_a_script(chromium: Browser, page: Path) -> None:
    """Logs are folded at first, so that the page is short, and open on a click."""
    chromium.open(page, width=400)
    visible = "document.querySelector('#r1 details:not(.events) pre').checkVisibility()"
    assert chromium.ask(visible) is False
    chromium.click("#r1 details:not(.events) summary")
    assert chromium.ask(visible) is True
    assert "connected again" in chromium.ask("document.querySelector('#r1 details:not(.events)').innerText")

"""`devserver trace --html` in a real browser: a timeline on phones, in dark mode, with and without its script."""

from __future__ import annotations

import asyncio
import json
import math
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tests.conftest import Run
from tests.devserver.otel.test_histories import ended, worker
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import Browser, open_readable
from tests.helpers.shared_server import SharedServer
from tests.helpers.shared_server import server as server

SHOWN = "JSON.stringify([...document.querySelectorAll('#rows > details:not([hidden]) b')].map(e => e.textContent))"
TYPE = "(e => (e.value = '%s', e.dispatchEvent(new Event('input'))))(document.getElementById('find'))"
BARS = (
    "JSON.stringify([...document.querySelectorAll('#rows .bar')].map(e => e.getBoundingClientRect())"
    ".map(r => [r.left, r.right, r.width]))"
)
# The id or text of the focused element, and the open rows.
FOCUS = "(e => e.id || (e.querySelector('b') || e).textContent)(document.activeElement)"
OPEN = "JSON.stringify([...document.querySelectorAll('#rows > [open] b')].map(e => e.textContent))"
AXIS = "[...document.querySelectorAll('.ticks i')].map(e => e.textContent).join()"
HOSTILE = "<script>document.title='stolen'</script>" + "a_name_without_any_place_to_break_it_" * 6


@pytest.fixture
def page(server: SharedServer, devserver: Run, tmp_path: Path) -> Path:
    """The page of a workflow that failed after a retried activity, a timer and a child with two runs."""

    async def work() -> None:
        client = await server.connect()
        async with worker(client):
            await ended(client, HOSTILE, fail=True)

    asyncio.run(work())
    file = tmp_path / "trace.html"
    done = devserver("trace", HOSTILE, *server.words, "--html", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file}: 10 rows\n"
    return file


def test_the_timeline_is_readable(chromium: Browser, page: Path) -> None:
    """The page is one file and needs no script: each step has its bar, and the reason of the failure is in its row.
    Nothing overflows and all text has enough contrast, from a small phone to a desktop, in light and dark mode;
    ids are escaped."""
    chromium.scripts(on=False)
    for width, dark in ((320, False), (320, True), (1280, False), (1280, True)):
        open_readable(chromium, page, width=width, dark=dark)
    shown = json.loads(chromium.ask(SHOWN))
    assert shown[0] == f"Tree {HOSTILE}"
    own = [text for text in shown[1:] if "Leaf" not in text]
    assert sorted(own) == ["busy", "busy", "refuse", "signal go", "timer 10 ms", "update name"]
    bars = json.loads(chromium.ask(BARS))
    left, right, _ = bars[0]
    assert len(bars) == len(shown)
    assert all(left - 1 <= bar[0] and bar[1] <= right + 1 and bar[2] >= 3 for bar in bars)
    chromium.click("#rows > details:last-child summary")
    assert "CardDeclined: card declined" in chromium.ask("document.querySelector('#rows > details[open]').innerText")


def test_the_head_says_what_matters(chromium: Browser, page: Path) -> None:
    """The head has the queue, the failure with the user's line first, and the critical path; frames of the SDK and ours
    are folded, and can be opened without a script."""
    chromium.scripts(on=False)
    chromium.open(page, width=1280)
    head = json.loads(
        chromium.ask(
            "JSON.stringify([...document.querySelectorAll('dl.head > div')]"
            ".map(e => [e.querySelector('dt').innerText, e.querySelector('dd').innerText]))"
        )
    )
    shown = dict(head)
    assert list(shown) == ["task queue", "failure", "critical path"]
    assert shown["task queue"] == "spans"
    first, place, code, *_ = shown["failure"].splitlines()
    assert first == "CardDeclined: card declined"
    assert re.search(r'otel/work.py", line \d+, in refuse$', place)
    assert code.strip().startswith("raise ApplicationError(")
    assert "site-packages/temporalio" not in shown["failure"]
    assert " → refuse " in shown["critical path"]
    chromium.click("dl.head details summary")
    whole = chromium.ask("document.querySelector('dl.head details').innerText")
    assert "activity refuse: Activity task failed" in whole
    assert "_execute_activity" in whole


def test_a_step_that_completed_after_a_retry_is_no_failure(chromium: Browser, page: Path) -> None:
    """It is not red and says "completed after 2 attempts"; the part of its bar before the last attempt is paler."""
    chromium.scripts(on=False)
    chromium.open(page, width=1280)
    about, bad, image = json.loads(
        chromium.ask(
            "(e => JSON.stringify([e.querySelector('.about').textContent, e.classList.contains('bad'),"
            "e.querySelector('.bar').style.getPropertyValue('--waited')]))"
            "([...document.querySelectorAll('.row')].find(e => e.querySelector('b').textContent === 'busy'))"
        )
    )
    assert "completed after 2 attempts" in about
    assert bad is False
    assert 0 < float(image.rstrip("%")) < 100


def test_round_marks_on_the_axis(chromium: Browser, page: Path) -> None:
    """The marks are at 0, 0.5 s, 1 s or the like, also where a part of the time is shown."""
    chromium.scripts(on=True)
    chromium.open(page, width=1280)
    steps = []
    for zoomed in (False, True):
        if zoomed:
            chromium.click("#rows > details:nth-child(3) summary")
            chromium.click("#rows > details:nth-child(3) button")
        marks = [text.split() for text in chromium.ask(AXIS).split(",")]
        found = [float(number) * {"ms": 0.001, "s": 1.0}[unit] for number, *units in marks for unit in units or ["s"]]
        distances = {round(later - sooner, 9) for sooner, later in pairwise(found)}
        assert len(distances) == 1, marks
        steps.append(distances.pop())
    assert all(f"{step:e}"[0] in "125" and not step / 10 ** math.floor(math.log10(step)) % 1 for step in steps), steps
    assert steps[1] < steps[0]


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_is_accessible(chromium: Browser, page: Path, width: int) -> None:
    """axe finds no fault with all rows closed and with one open, and Tab reaches everything in order."""
    chromium.scripts(on=True)
    chromium.open(page, width=width)
    check_accessible(chromium)
    check_focus_order(chromium)
    chromium.click("#rows > details:last-child summary")
    check_accessible(chromium)


def test_a_short_step_at_the_very_end_is_visible(chromium: Browser, page: Path) -> None:
    """Its bar has the minimum width, and is not cut off by the edge."""
    chromium.scripts(on=False)
    at_the_end, count = re.subn(r"left:(min\()?[\d.]+%", r"left:\g<1>100%", page.read_text(encoding="utf-8"))
    page.write_text(at_the_end, encoding="utf-8")
    chromium.open(page, width=1280)
    bars = json.loads(chromium.ask(BARS))
    edge = chromium.ask("document.querySelector('#rows .lane').getBoundingClientRect().right")
    assert 0 < len(bars) <= count
    assert all(left <= edge - 3 for left, _, _ in bars)


def test_search_and_zoom(chromium: Browser, page: Path) -> None:
    """A word, or only failures, filters the rows; a row's own time fills the axis, and can be reset."""
    chromium.scripts(on=True)
    chromium.open(page, width=1280)
    assert chromium.ask("document.title").startswith(f"{HOSTILE}: failed in ")
    chromium.ask(TYPE % "card declined")
    assert json.loads(chromium.ask(SHOWN)) == [f"Tree {HOSTILE}", "refuse"]
    chromium.ask(TYPE % "")
    chromium.click("#failures")
    assert json.loads(chromium.ask(SHOWN)) == [f"Tree {HOSTILE}", "busy", "busy", "refuse"]
    assert chromium.ask("document.getElementById('count').textContent") == "4 of 10 rows"
    chromium.click("#failures")
    whole = chromium.ask(AXIS)
    chromium.click("#rows > details:last-child summary")
    chromium.click("#rows > details:last-child button")
    assert chromium.ask(AXIS) != whole
    bar, lane = "details:last-child .bar", "details:last-child .lane"
    width = "document.querySelector('#rows > %s').getBoundingClientRect().width"
    assert chromium.ask(width % bar) == pytest.approx(chromium.ask(width % lane), abs=1)
    chromium.click("#whole")
    assert chromium.ask("document.getElementById('whole').disabled") is True
    assert chromium.requests == [page.as_uri()]


def test_keyboard_navigation(chromium: Browser, page: Path) -> None:
    """Enter in the search moves to the result and keeps it; arrow keys move through visible rows, open and close
    them; a row's button zooms to its time and back, as Escape does."""
    chromium.scripts(on=True)
    chromium.open(page, width=1280)
    whole = chromium.ask(AXIS)

    def after(*keys: str) -> str:
        for key in keys:
            chromium.press(key)
        focus: str = chromium.ask(FOCUS)
        return focus

    assert after("Tab") == "Whole chain with 4 more frames (SDK, devserver, Python)"
    assert after("Tab") == "find"
    chromium.type("card declined")
    tree = f"Tree {HOSTILE}"
    assert after("Enter") == tree
    assert chromium.ask("document.getElementById('find').value") == "card declined"
    assert json.loads(chromium.ask(SHOWN)) == [tree, "refuse"]
    assert after("ArrowDown", "ArrowDown") == "refuse"
    assert after("Enter", "Tab") == "Whole chain with 4 more frames (SDK, devserver, Python)"
    assert after("Tab") == "Show this time"
    assert json.loads(chromium.ask(OPEN)) == ["refuse"]
    assert after("Enter") == "Show the whole time"
    assert chromium.ask(AXIS) != whole
    assert after("Enter") == "Show this time"
    assert chromium.ask(AXIS) == whole
    assert after("Enter", "Escape") == "Show this time"
    assert chromium.ask(AXIS) == whole
    chromium.ask("document.querySelector('#rows > [open] summary').focus()")
    assert after("ArrowLeft", "Home", "ArrowRight") == tree
    assert json.loads(chromium.ask(OPEN)) == [tree]
    assert after("ArrowUp", "End") == "refuse"

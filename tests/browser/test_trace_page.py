"""`devserver trace --html` in a real browser: a timeline on phones, in dark mode, with and without its script."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from tests.conftest import Run
from tests.devserver.otel.test_histories import ended, worker
from tests.helpers.browser import CHROMIUM, Browser, browser, open_readable

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

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


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser for all tests of this module."""
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def server(installed: Executable) -> Iterator[DevServer]:
    """A server for all tests of this module."""
    with DevServer.start(ui=False) as server:
        yield server


@pytest.fixture
def page(server: DevServer, devserver: Run, tmp_path: Path) -> Path:
    """The page of a workflow that failed after a retried activity, a timer and a child with two runs."""

    async def work() -> None:
        client = await Client.connect(server.address)
        async with worker(client):
            await ended(client, HOSTILE, fail=True)

    asyncio.run(work())
    file = tmp_path / "trace.html"
    done = devserver("trace", HOSTILE, "--address", server.address, "--html", str(file))
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

    assert after("Tab") == "find"
    chromium.type("card declined")
    tree = f"Tree {HOSTILE}"
    assert after("Enter") == tree
    assert chromium.ask("document.getElementById('find').value") == "card declined"
    assert json.loads(chromium.ask(SHOWN)) == [tree, "refuse"]
    assert after("ArrowDown", "ArrowDown") == "refuse"
    assert after("Enter", "Tab") == "Show this time"
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

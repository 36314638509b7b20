"""The facilitator's page and the debrief in a real browser, driven by keys and pointer while a game day runs."""

from __future__ import annotations

import http.client
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from devserver.executables.models import Executable
from tests.conftest import Run
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import CHROMIUM, Browser, open_readable
from tests.helpers.played import played
from tests.helpers.waiting import LIMIT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

HOSTILE = "<img src=x onerror=\"document.title='owned'\">'&amp;\u202e{{7*7}}</script>"
LIVE = "document.getElementById('connection').dataset.state === 'live'"
TEXT = "document.body.innerText"


@pytest.fixture(scope="module")
def chromium(chromium: Browser) -> Browser:
    """The page, with scripts."""
    chromium.scripts(on=True)
    return chromium


def status_of(url: str, host: str) -> int:
    """The status of an answer to a request with this Host."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=LIMIT)
    try:
        connection.request("GET", parts.path, headers={"Host": host})
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.slow
def test_a_facilitator_runs_a_game_day(
    chromium: Browser, devserver: Run, installed: Executable, tmp_path: Path
) -> None:
    """The page has the secret plan. Its buttons do the next fault, judge a cause, and end the game day, by pointer and
    by keys. What the person says cannot become markup. Closing the page changes nothing. Then the debrief is readable
    in every size and color scheme."""
    with played(devserver, tmp_path, "--facilitator", only="The night watch, judged") as day:
        day.begin()
        url = day.page()
        assert "lamp goes out" not in day.said
        assert status_of(url, "evil.example") == 403
        root = f"http://{urlsplit(url).netloc}/"
        assert status_of(root, urlsplit(url).netloc) == 404
        chromium.open(url, width=1400)
        chromium.eventually(LIVE)
        assert "The lamp <b>went out</b>." in chromium.ask(TEXT)
        assert "you judge it" in chromium.ask(TEXT)
        check_accessible(chromium)
        check_focus_order(chromium)
        chromium.click("#trigger-0")
        chromium.eventually(f"{TEXT}.includes('✓ done')")
        chromium.eventually(f"{TEXT}.includes('activity_retrying')")
        assert day.ask("noticed", HOSTILE)["early"] is False
        judged = day.ask("cause", f"it is dark {HOSTILE}")
        assert (judged["right"], judged["facilitated"]) == (None, True)
        chromium.eventually("document.getElementById('right-0') !== null")
        assert HOSTILE.replace("\u202e", "?") in chromium.ask("document.getElementById('causes').innerText")
        assert "owned" not in chromium.ask("document.title")
        chromium.open("about:blank", width=1400)  # the facilitator closes the window
        assert day.ask("status")["cause_named"] is False
        for width, dark in ((400, True), (1400, True), (400, False)):
            chromium.open(url, width=width, dark=dark)
            chromium.eventually(LIVE)
            check_accessible(chromium)
            assert chromium.ask("document.documentElement.scrollWidth") == width
        chromium.ask("document.getElementById('right-0').focus()")
        chromium.press("Enter")
        chromium.eventually(f"{TEXT}.includes('✓ right')")
        assert day.ask("status")["cause_named"] is True
        chromium.click("#end")
        assert "End the game day?" in chromium.eventually(
            "document.querySelector('dialog[open]') && document.querySelector('dialog[open]').innerText"
        )
        chromium.press("Escape")
        assert day.ask("status")["ending"] is None
        chromium.click("#end")
        chromium.eventually("document.querySelector('dialog[open]') !== null")
        chromium.click("#question-yes")
        found = day.debrief()["gameday"]
        assert found["ending"] == "facilitator"
        chromium.eventually(f"{TEXT}.includes('The game day has ended')")
        assert [note["judged_by"] for note in found["notes"] if note["kind"] == "cause"] == ["facilitator"]
    page = day.report / "debrief.html"
    chromium.scripts(on=True)
    for width in (1400, 400):
        for dark in (False, True):
            open_readable(chromium, page, width=width, dark=dark)
            check_accessible(chromium)
    assert "owned" not in chromium.ask("document.title")
    text = chromium.ask(TEXT)
    assert "The lamp <b>went out</b>." in text
    assert "<img src=x" in text
    assert "Have a second lamp." in text
    chromium.click("ul.tasks label")
    assert chromium.ask("document.querySelector('ul.tasks input').checked") is True

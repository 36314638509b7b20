"""`devserver replay --html` in a real browser: on phones and desktops, light and dark, with names that do harm."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from devserver.replay import Candidate, HistoryOutcome, Outcome, ReplayFailure
from devserver.replay.page import MOST_LISTED, write_page
from devserver.replay.report import ReplayReport
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import CHROMIUM, Browser, open_readable

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

HOSTILE = "<script>document.title='stolen'</script>" + "an_id_without_any_place_to_break_it_" * 6
MARKUP = "Activity type of scheduled event '<img src=x onerror=alert(1)>' does not match\x1b[2J\u202e'"
WHERE = ("the code was at", "  shop.py:18 in run: a = await workflow.execute_activity(ship, '</pre><b>', n)")
AT = datetime(2026, 12, 1, 9, 30, tzinfo=timezone.utc)
MANY = MOST_LISTED + 20


def report(*, bad: bool = True) -> ReplayReport:
    """Many histories that fail in one way, one without code, and others that replay."""
    failure = ReplayFailure(MARKUP, 5, "activity task scheduled (charge)", WHERE, "shop.py:18")
    outcomes = [
        HistoryOutcome(Candidate(HOSTILE, "01a2-run", "Order"), Outcome.DIVERGES, 11, failure),
        *(
            HistoryOutcome(Candidate(f"order-{number}", f"run-{number}", "Order"), Outcome.DIVERGES, 20, failure)
            for number in range(MANY - 1)
        ),
        HistoryOutcome(
            Candidate("", "", "", f"histories/{HOSTILE}.json"),
            Outcome.NO_CODE,
            3,
            ReplayFailure("no workflow of the type Refund in the module"),
        ),
        HistoryOutcome(Candidate("gone", "run-gone", "Order"), Outcome.GONE),
    ]
    good = [HistoryOutcome(Candidate("refund-1", "run-r", "Refund"), Outcome.REPLAYS, 7)]
    again = ["devserver", "replay", "shop.py", "--profile", "prod"]
    notes = [f"open: {MANY} of 9,000, a sample of 12 shapes"]
    return ReplayReport("shop.py", [*outcomes, *good] if bad else good, notes, again, "the namespace shop at prod", AT)


def test_the_page_is_readable(chromium: Browser, tmp_path: Path) -> None:
    """One file without a script: nothing overflows and all text has enough contrast from a phone to a desktop, in light
    and dark mode; what others have named is text."""
    page = tmp_path / "replay.html"
    write_page(report(), page)
    chromium.scripts(on=True)
    for width in (320, 400, 1400):
        for dark in (False, True):
            open_readable(chromium, page, width=width, dark=dark)
            assert chromium.ask("document.title") == f"Replay of shop.py: 1 replays, {MANY + 1:,} do not"
    assert chromium.ask("document.querySelectorAll('script, img').length") == 0
    assert HOSTILE in chromium.ask("document.querySelector('section tbody th').textContent")
    shown = page.read_text(encoding="utf-8")
    assert [sign for sign in shown if sign in "\x1b\u202e"] == []
    assert chromium.ask("document.querySelector('section pre').textContent").rstrip() == "\n".join(WHERE)


def test_what_the_page_says(chromium: Browser, tmp_path: Path) -> None:
    """The verdict, the server, the counts of each type, and for each way to fail the reason, the event, the command
    that debugs it and the histories: ten at once, the others on a click, and how many are left out."""
    page = tmp_path / "replay.html"
    write_page(report(), page)
    chromium.open(page, width=1400)
    text = chromium.ask("document.body.innerText")
    for part in (
        f"✗ 1 replays, {MANY + 1:,} do not",
        "histories of the namespace shop at prod",
        "a sample of 12 shapes",
        "1 deleted meanwhile",
        "guard the change with workflow.patched()",
        f"Order: {MANY} histories do not replay",
        "(non-deterministic, TMPRL1100)",
        "nearest event: 5, activity task scheduled (charge)",
        "devserver replay shop.py --profile prod --debug",
        "unknown type: 1 history without code",
        "20 more are not on this page",
        "2026-12-01 09:30:00 UTC",
    ):
        assert part in text
    types = chromium.ask("[...document.querySelectorAll('main > table tbody tr')].map(e => e.innerText).join('|')")
    assert types.split("|")[0].split() == ["Order", "0", f"{MANY}", f"{11 + 20 * (MANY - 1):,}"]
    rows = "[...document.querySelectorAll('section:first-of-type tbody tr')].filter(e => e.checkVisibility()).length"
    assert chromium.ask(rows) == 10
    chromium.click("section summary")
    assert chromium.ask(rows) == MOST_LISTED


def test_a_page_of_success(chromium: Browser, tmp_path: Path) -> None:
    """If all replay, the page says so, without advice."""
    page = tmp_path / "replay.html"
    write_page(report(bad=False), page)
    chromium.open(page, width=1400)
    assert "✓ it replays" in chromium.ask("document.querySelector('.verdict').innerText")
    assert chromium.ask("document.querySelectorAll('section').length") == 0
    assert "What to do" not in chromium.ask("document.body.innerText")


@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_is_accessible(chromium: Browser, tmp_path: Path, width: int) -> None:
    """axe finds no fault, and Tab reaches everything in order."""
    page = tmp_path / "replay.html"
    write_page(report(), page)
    chromium.scripts(on=True)
    chromium.open(page, width=width)
    check_accessible(chromium)
    check_focus_order(chromium)

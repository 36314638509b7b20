"""The page of a comparison and the index of many reports in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from devserver.rehearsal import report
from devserver.rehearsal.report.compare import compared
from devserver.rehearsal.report.comparison_page import write_comparison
from devserver.rehearsal.report.index import index_data, write_index
from devserver.rehearsal.report.stored import read_report
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import CHROMIUM, Browser, open_readable
from tests.helpers.rehearsed import result, run, twice

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

LONG = "a_name_without_any_place_to_break_it_" * 8


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A comparison of two reports, and their index."""
    folder = tmp_path_factory.mktemp("reports")
    good = result(run(), verdict="pass", judgements=[])
    before = [good, result(run(), name=LONG, verdict="pass", judgements=[])]
    places = folder / "before", folder / "after"
    report.write(before, places[0])
    report.write([result(twice()), result(twice(), name=LONG), result(run(), name="new", verdict="unknown")], places[1])
    write_comparison(compared(read_report(places[0]), read_report(places[1]), places), folder / "comparison.html")
    return {"comparison": folder / "comparison.html", "index": write_index(folder, index_data(folder))}


@pytest.mark.parametrize("name", ["comparison", "index"])
def test_the_page_fits_and_is_accessible(chromium: Browser, pages: dict[str, Path], name: str) -> None:
    """From a phone to a desktop, light and dark, nothing overflows, all text has enough contrast, axe finds no fault,
    and Tab reaches everything in order."""
    chromium.scripts(on=True)
    for width, dark in ((320, False), (400, True), (1400, False), (1400, True)):
        open_readable(chromium, pages[name], width=width, dark=dark)
        check_accessible(chromium)
    check_focus_order(chromium)


def test_the_index_leads_to_a_run_in_its_report(chromium: Browser, pages: dict[str, Path]) -> None:
    """A click on a verdict opens the report at that rehearsal."""
    chromium.scripts(on=False)
    chromium.open(pages["index"], width=1000)
    chromium.click(".runs .fail")
    chromium.eventually("location.pathname.endsWith('/after/report.html') && location.hash.startsWith('#r')")

"""The check of accessibility itself: it finds what a person would stumble over."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.accessibility import check_accessible, check_focus_order, faults
from tests.helpers.browser import CHROMIUM, Browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

GOOD = "<!doctype html><html lang=en><title>t</title><main><h1>h</h1>{}</main>"


@pytest.fixture(scope="module")
def chromium(chromium: Browser) -> Browser:
    """The page, with scripts."""
    chromium.scripts(on=True)
    return chromium


def opened(chromium: Browser, folder: Path, content: str, *, page: str = GOOD) -> None:
    """Open a page with this content."""
    file = folder / "page.html"
    file.write_text(page.format(content))
    chromium.open(file, width=400)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        ("<input>", "label"),
        ("<button></button>", "button-name"),
        ("<img src=x>", "image-alt"),
        ("<p style='color:#ccc;background:#fff'>pale</p>", "color-contrast"),
        ("<h2>a</h2><h5>b</h5>", "heading-order"),
        ("<div role=slider></div>", "aria-required-attr"),
        ("<p id=a>1</p><label for=a>x</label><p id=a>2</p>", "duplicate-id-aria"),
    ],
)
def test_axe_finds_faults(chromium: Browser, tmp_path: Path, content: str, rule: str) -> None:
    """A control without a name, text that is too pale, headings out of order."""
    opened(chromium, tmp_path, content)
    assert rule in [found[0] for found in faults(chromium)]
    with pytest.raises(AssertionError):
        check_accessible(chromium)


def test_a_page_without_language_and_landmark(chromium: Browser, tmp_path: Path) -> None:
    """The page itself is checked too."""
    opened(chromium, tmp_path, "text", page="<!doctype html><title>t</title>{}")
    assert {"html-has-lang", "landmark-one-main"} <= {found[0] for found in faults(chromium)}


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<button style='outline:none'>a</button>", "shows no focus"),
        ("<button tabindex=2>a</button><button tabindex=1>b</button>", "Tab jumps"),
        ("<button onkeydown='event.preventDefault()'>a</button><button>b</button>", "does not reach"),
        ("<button style='position:absolute;left:-999px'>a</button>", "off the screen"),
    ],
)
def test_tab_finds_faults(chromium: Browser, tmp_path: Path, content: str, what: str) -> None:
    """A focus that nobody sees, that jumps, or that leaves a control out."""
    opened(chromium, tmp_path, content)
    with pytest.raises(AssertionError, match=what):
        check_focus_order(chromium)


def test_a_good_page_passes(chromium: Browser, tmp_path: Path) -> None:
    """The check returns the labels in the order in which Tab reaches them."""
    opened(chromium, tmp_path, "<a href='#x'>one</a> <button>two</button> <label>three <input></label>")
    check_accessible(chromium)
    assert check_focus_order(chromium) == ["a one", "button two", "input "]

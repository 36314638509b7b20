"""One browser for all tests of pages, in which each module has a page of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.browser import CHROMIUM, Browser, browser


@pytest.fixture(scope="session")
def running_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: make system installs Debian's")
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def chromium(running_browser: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """A page for all tests of a module, whose own scripts run if the module has `SCRIPTS = True`."""
    page = running_browser.another(window=True)
    page.scripts(on=getattr(request.module, "SCRIPTS", False))
    yield page
    page.leave()

"""The dashboard in a real browser: driven by keys and pointer, and left open over what happens to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from devserver import DevServer
from devserver.executables.models import Executable
from devserver.rehearsal import report
from devserver.rehearsal.archive import RehearsalArchive
from devserver.rehearsal.scenario.result import Judgement
from devserver.system.paths import Paths
from tests.conftest import command
from tests.helpers.accessibility import check_accessible, check_focus_order
from tests.helpers.browser import CHROMIUM, TOO_WIDE, Browser
from tests.helpers.rehearsed import result, run, twice
from tests.helpers.waiting import LIMIT

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")

HOSTILE = "<img src=x onerror=\"document.title='owned'\">'&amp;\u202e{{7*7}}</script>"
LIVE = "document.getElementById('connection').dataset.state === 'live'"
TEXT = "document.body.innerText"
QUESTION = "document.querySelector('dialog[open]').innerText"


@pytest.fixture(scope="module")
def chromium(chromium: Browser) -> Browser:
    """The page, with scripts."""
    chromium.scripts(on=True)
    return chromium


@contextlib.contextmanager
def served(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A dashboard in a process of its own: its address, and the process."""
    process = subprocess.Popen(
        command("dashboard", "--no-open", "--json", *options), stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    try:
        document = ""
        while "}" not in document:
            line = process.stdout.readline()
            assert line, "the dashboard has ended"
            document += line
        yield json.loads(document)["url"], process
    finally:
        process.terminate()
        process.wait(LIMIT)
        process.stdout.close()


@pytest.fixture
def archive(paths: Paths) -> RehearsalArchive:
    """Past rehearsals: one that got worse, and one in which every text is hostile."""
    archive = RehearsalArchive(paths)
    evil = [Judgement(HOSTILE, "fail", HOSTILE, [HOSTILE])]
    good = [Judgement("completes", "pass", ""), Judgement("add_node exactly once", "pass", "")]
    hostile = result(twice(), name=HOSTILE, reason=HOSTILE, judgements=evil)
    results = [result(run(), verdict="pass", judgements=good), result(twice()), hostile]
    assert archive.add(report.data(results)) is not None
    return archive


async def start(address: str) -> None:
    """Start a workflow that nobody runs, whose names are hostile."""
    client = await Client.connect(address)
    await client.start_workflow(HOSTILE, id=HOSTILE, task_queue=HOSTILE)


@pytest.fixture
def shop(installed: Executable) -> Iterator[DevServer]:
    """A server with a workflow that nobody runs, whose names are hostile, and a snapshot."""
    server = DevServer.start("shop", detach=True, source="installed")
    try:
        asyncio.run(start(server.address))
        yield server
    finally:
        server.stop()


def test_a_server_from_its_first_look_to_its_stop(
    chromium: Browser, shop: DevServer, archive: RehearsalArchive, tmp_path: Path
) -> None:
    """The page shows what is known at once and the rest a moment later, is readable on each screen, and its buttons
    work by keys and pointer, with the questions of the command line."""
    with served("--write", "--port", "0") as (url, _):
        for width, dark in ((1400, True), (400, False)):
            chromium.open(url, width=width, height=900, dark=dark)
            assert chromium.ask(f"{TEXT}.includes('shop') && {TEXT}.includes('ready')")
            chromium.eventually(LIVE)
            chromium.eventually(f"!{TEXT}.includes('Looking')")
            chromium.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
            assert chromium.ask("document.documentElement.scrollWidth") == width
            assert json.loads(chromium.ask(TOO_WIDE)) == []
            check_accessible(chromium)
        labels = check_focus_order(chromium)
        assert "button Stop shop" in labels
        assert chromium.ask("document.title") == "devserver dashboard"  # nothing hostile has run
        assert chromium.ask("document.querySelectorAll('main img').length") == 0
        assert HOSTILE.replace("\u202e", "?") in chromium.ask(TEXT)
        assert "got worse" in chromium.ask(TEXT)

        # A snapshot, by keys alone: the dialog has the focus, and gives it back.
        chromium.ask("document.getElementById('snapshot-shop').focus()")
        chromium.press("Enter")
        assert chromium.eventually("document.activeElement.id") == "question-value"
        check_accessible(chromium)
        chromium.type("before-lunch")
        chromium.press("Enter")
        chromium.eventually(f"{TEXT}.includes('saved the snapshot before-lunch of shop')")
        chromium.eventually(f"{TEXT}.includes('1 snapshot')")
        assert chromium.ask("document.activeElement.id") == "snapshot-shop"

        # A restore, by the pointer: no changes nothing; the question is that of the command line.
        chromium.ask("document.getElementById('snapshots-shop').open = true")
        chromium.click("#restore-shop-before-lunch")
        assert "Replace the state of shop with before-lunch?" in chromium.eventually(QUESTION)
        chromium.press("Escape")
        chromium.eventually("!document.querySelector('dialog[open]')")
        chromium.click("#restore-shop-before-lunch")
        chromium.eventually("!!document.querySelector('dialog[open]')")
        chromium.click("#question-yes")
        chromium.eventually(f"{TEXT}.includes('restored before-lunch into shop')")
        chromium.eventually(f"{TEXT}.includes('2 snapshots')")

        # Another page sees the stop that this one does, and says so to a screen reader.
        other = chromium.another(window=True)
        other.scripts(on=True)
        other.open(url, width=400)
        other.eventually(LIVE)
        chromium.click("#down-shop")
        chromium.eventually(f"{TEXT}.includes('stopped shop')")
        other.eventually("document.getElementById('announcement').innerText.includes('shop is stopped')")
        other.eventually("!!document.getElementById('start-shop')")
        other.leave()
    assert not shop.running


def test_a_page_left_open_over_a_restart(chromium: Browser, archive: RehearsalArchive) -> None:
    """The page says that the dashboard has ended and how to start it, connects again by itself, and says so."""
    with served("--port", "0") as (url, _):
        chromium.open(url, width=1400)
        chromium.eventually(LIVE)
        port = url.rstrip("/").rpartition(":")[2]
    chromium.eventually("document.getElementById('connection').innerText.includes('devserver dashboard')")
    with served("--port", port):
        chromium.eventually(f"{LIVE} && {TEXT}.includes('started again')")
        assert chromium.ask("document.querySelector('[data-post]')") is None  # read-only without --write


def test_a_page_of_a_killed_dashboard(chromium: Browser, home: Path) -> None:
    """A kill leaves a page that says that there is no answer, and what to type."""
    with served("--port", "0", "--write") as (url, process):
        chromium.open(url, width=400)
        chromium.eventually(LIVE)
        process.kill()
        port = url.rstrip("/").rpartition(":")[2]
        words = f"devserver dashboard --port {port} --write"
        chromium.eventually(f"document.getElementById('connection').innerText.includes({json.dumps(words)})")


def test_a_report_is_opened_in_an_origin_of_its_own(chromium: Browser, archive: RehearsalArchive) -> None:
    """A past report is the report that `rehearse` wrote, and cannot use the dashboard."""
    with served("--port", "0") as (url, _):
        chromium.open(url, width=1400)
        link = chromium.ask("document.querySelector('a[href^=\"/rehearsals/\"]').href")
        chromium.open(link, width=1400)
        assert "happened twice" in chromium.ask(TEXT)
        assert chromium.ask("self.origin") == "null"
        assert chromium.ask("document.title").startswith("Fail")


def test_a_hidden_page_costs_nothing(chromium: Browser, home: Path) -> None:
    """A page in a hidden tab disconnects itself, and is up to date again when it is shown."""
    with served("--port", "0") as (url, _):
        chromium.open(url, width=400)
        chromium.eventually(LIVE)
        tab = chromium.another(window=False)
        chromium.eventually("document.getElementById('connection').innerText.includes('hidden')")
        tab.leave()
        chromium.to_front()
        chromium.eventually(LIVE)

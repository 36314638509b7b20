"""The site of the documentation, built as `make docs` builds it, in a real browser too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from devserver.cli.main import COMMANDS
from tests.helpers.browser import CHROMIUM, Browser
from tests.helpers.checkout import ROOT, SOURCE

pytestmark = pytest.mark.slow

BUILD = ("-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir")
LOADED = re.compile(r"<(?:script|img|iframe|source|video|audio)\b[^>]*\bsrc=\"?([^\" >]+)|<link\b[^>]*>", re.IGNORECASE)
STYLE = re.compile(r"url\(\s*['\"]?(https?:|//)|@import\s+['\"](https?:|//)")
REFERENCE = re.compile(r"\b(?:href|src)=\"?(https?:|//)", re.IGNORECASE)
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="session")
def site(shared_folder: Path) -> Path:
    """The built site, one for all workers of xdist; a dead link or any other warning fails it."""
    folder = shared_folder / "site"
    with FileLock(shared_folder / "site.lock"):
        if not folder.exists():
            building = shared_folder / "building"
            shutil.rmtree(building, ignore_errors=True)
            done = subprocess.run(
                [sys.executable, *BUILD, str(building)],
                cwd=ROOT,
                env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")
            building.rename(folder)
    return folder


def test_llms_txt_lists_every_page(site: Path) -> None:
    """Each page is listed with a link to its Markdown, and most have a sentence about them."""
    text = (site / "llms.txt").read_text(encoding="utf-8")
    assert text.startswith("# temporal-devserver\n\n> ")
    lines = dict(re.findall(r"(?m)^- \[[^\]]+\]\(([^)]+)\)(.*)$", text))
    assert [link for link in lines if not (site / link).read_text(encoding="utf-8").strip()] == []
    assert [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in lines] == []
    assert sum(about.startswith(": ") for about in lines.values()) > len(lines) * 0.8


def test_the_reference_is_generated(site: Path) -> None:
    """The page of options has every command, the page of the API what the docstrings say, the schemas are files."""
    options = (site / "options.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"<code>devserver {name}" not in options] == []
    assert "--dynamic-config-value" in options
    api = (site / "api" / "devserver.html").read_text(encoding="utf-8")
    assert 'id="devserver.DevServer.start"' in api
    messages = (site / "messages.html").read_text(encoding="utf-8")
    assert 'href="errors.html#databaseinuse"' in messages
    assert (site / "schemas" / "settings.schema.json").is_file()


def test_links_out_of_the_docs_lead_to_the_repository(site: Path) -> None:
    """A link to an example leads to the repository, one to README or CHANGELOG to the page made of it."""
    page = (site / "library.html").read_text(encoding="utf-8")
    assert f'href="{SOURCE}/blob/main/examples/outage.py"' in page
    start = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="changes.html"' in start
    assert 'src="images/trace.png"' in start


def test_pages_load_nothing_from_other_hosts(site: Path) -> None:
    """No script, style, font or image of any page is at an address of another host."""
    found = []
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        tags = [match.group() for match in LOADED.finditer(text)]
        found += [(page.name, tag) for tag in tags if REFERENCE.search(tag)]
        assert tags, page
    for sheet in site.rglob("*.css"):
        found += [(sheet.name, match.group()) for match in STYLE.finditer(sheet.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make system installs Debian's")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_fit_phones_and_stay_on_their_host(site: Path, chromium: Browser, dark: bool) -> None:
    """Pages with wide tables, code and signatures fit 400 pixels, follow the scheme, and request local files only."""
    chromium.scripts(on=True)
    for name in ("index.html", "options.html", "errors.html", "api/temporaltest.html"):
        chromium.open(site / name, width=400, dark=dark)
        for width in (400, 1400):
            chromium.resize(width=width)
            assert (name, width, chromium.ask(WIDE)) == (name, width, 0)
            assert chromium.requests
            assert [url for url in chromium.requests if not url.startswith(("file:", "data:", "blob:"))] == []
        scheme = chromium.ask("document.body.getAttribute('data-md-color-scheme')")
        assert scheme == ("slate" if dark else "default")

"""`devserver docs`: the documentation in the terminal, also where only the wheel is installed."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devserver.cli.main import devserver as root
from devserver.system.packaged import packaged
from tests.conftest import Run, command
from tests.devserver.cli.commands import walk
from tests.helpers.checkout import ROOT
from tests.helpers.terminal import Terminal

FILE = re.compile(r"(?<![\w.])(?:\.\./)?(?:docs|examples|scripts)/[\w./-]*\w")
PAGES = sorted(page.stem for page in (ROOT / "docs").rglob("*.md"))


def test_the_list(devserver: Run) -> None:
    """Every page with its title."""
    done = devserver("docs")
    assert [line.split()[0] for line in done.stdout.splitlines()[:-2]] == PAGES
    assert re.search(r"(?m)^binary +The executable$", done.stdout)
    found = json.loads(devserver("docs", "--json").stdout)
    assert {"topic": "binary", "title": "The executable"} in found["topics"]


def test_a_page(devserver: Run) -> None:
    """Its text, whose links name topics; words of a topic can be separate."""
    page = devserver("docs", "testing", "time").stdout
    assert page.startswith("# Time\n\n```python\n@pytest.mark.temporal(time_skipping=True)\n")
    assert page == devserver("docs", "Testing-Time.md").stdout
    found = json.loads(devserver("docs", "testing-time", "--json").stdout)
    assert (found["topic"], found["title"], found["text"]) == ("testing-time", "Time", page)


def test_a_command_is_a_topic(devserver: Run) -> None:
    """Its section of the page of commands is shown."""
    assert devserver("docs", "up").stdout.startswith("# up\n\nStarts a server in the foreground")
    assert devserver("docs", "list").stdout.startswith("# status, list\n")


def test_an_error_is_a_topic(devserver: Run) -> None:
    """Its section of the page of errors is shown, and ends where the next one begins."""
    page = devserver("docs", "PortTaken").stdout
    assert page.startswith("# PortTaken\n\nAnother process uses the port.")
    assert "**What to do.** Stop that process" in page
    assert "PortLost" not in page
    assert "\n#" not in devserver("docs", "databaserefused").stdout  # the last one of its group


@pytest.mark.parametrize(
    ("topic", "near"), [("binry", "binary"), ("tests", "testing"), ("stat", "start"), ("time", "testing-time")]
)
def test_an_unknown_topic(devserver: Run, topic: str, near: str) -> None:
    """Similar topics are named; what is not like any leads to the list."""
    done = devserver("docs", topic)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"error: there is no page {topic}\nhint: did you mean ")
    assert near in done.stderr
    assert devserver("docs", "zzzzzz").stderr.endswith("hint: devserver docs lists the pages\n")


def test_in_a_terminal_it_is_formatted_and_paged(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pager gets the page without the signs of Markdown."""
    monkeypatch.setenv("PAGER", "cat")
    monkeypatch.setenv("TERM", "xterm")
    with Terminal(command("docs", "library")) as terminal:
        terminal.until("Every error")
    assert "The library" in terminal.seen
    assert "# The library" not in terminal.seen
    assert "```" not in terminal.seen


@pytest.mark.parametrize("topic", PAGES)
def test_no_page_leads_to_a_file_that_is_not_installed(topic: str, devserver: Run) -> None:
    """Links name topics; a page with files of the examples says how to get them."""
    page = devserver("docs", topic).stdout
    assert not re.search(r"\]\((?!https?:)", page)
    if "examples/" in page:
        assert "devserver new examples --template examples" in page


def test_no_help_text_leads_to_a_file_that_is_not_installed() -> None:
    """Whoever installed the wheel has neither docs/ nor examples/ in the current folder."""
    for path, found in walk(root):
        context = found.make_context(path, [], resilient_parsing=True)
        assert FILE.findall(found.get_help(context)) == [], path


def test_no_message_leads_to_a_file_that_is_not_installed() -> None:
    """Of all texts in the code, except docstrings and the commands of the examples' own template."""
    found = []
    for package in ("devserver", "temporaltest"):
        for file in (ROOT / package).rglob("*.py"):
            tree = ast.parse(file.read_text())
            docstrings = {
                id(node.body[0].value)
                for node in ast.walk(tree)
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
                and node.body
                and isinstance(node.body[0], ast.Expr)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                    found += [f"{file.name}: {text}" for text in FILE.findall(node.value)]
    assert found == ["templates.py: examples/hello.py"]


def test_topics_of_messages_exist() -> None:
    """Every `devserver docs TOPIC` that the code or a template mentions is a page or a command."""
    files = [*(ROOT / "devserver").rglob("*.py"), *(ROOT / "devserver" / "projects").rglob("*.j2")]
    mentioned = {topic for file in files for topic in re.findall(r"devserver docs ([a-z][a-z-]*)", file.read_text())}
    assert {"json", "testing"} <= mentioned
    sections = re.findall(r"(?m)^## (.*)$", (ROOT / "docs" / "commands.md").read_text())
    known = {*PAGES, *(name for line in sections for name in line.split(", "))}
    assert mentioned - known - {"lists"} == set()


def test_an_installation_without_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is an error that says how to install them."""
    script = (
        "import devserver.system.packaged as packaged, sys; from pathlib import Path; "
        f"packaged.PACKAGE = Path({str(tmp_path / 'site' / 'devserver')!r}); "
        "from devserver.cli.main import run; sys.exit(run(['docs']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=180, check=False, env=os.environ.copy()
    )
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "error: this installation has no docs")
    assert packaged("docs") == ROOT / "docs"

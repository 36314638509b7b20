"""README and docs match what the product does."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import fields
from datetime import datetime, timezone
from pathlib import Path

import pytest
from temporalio.converter import DataConverter

from devserver.cli.binary.list import VersionRow
from devserver.cli.main import COMMANDS
from devserver.cli.render.stuck import as_json
from devserver.database import CheckResult as DoctorFinding
from devserver.database import Snapshot
from devserver.executables.models import Executable
from devserver.history import Step, WorkflowRun
from devserver.rehearsal import Scenario, drills, expect, faults
from devserver.schedules import ScheduleRow as ScheduleRow
from devserver.stuck import KINDS, Finding, StuckReport
from devserver.system.paths import HOME_VARIABLE, Paths
from devserver.trace.serialization import run_data, step_data
from scripts import docs
from tests.conftest import link
from tests.helpers.fork_server import Forked, ForkServer

FINDING = Finding("no_worker", "w", "r", "Order", "orders", "no worker", "start one")
PAGES = {page.name: page for page in docs.pages()}
INSTALLS = {"binary.md"}  # the commands of others find an executable that is run quickly
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")


@pytest.mark.parametrize("name", PAGES)
def test_shown_commands_give_the_shown_output(
    name: str, prepared: Executable, forks: ForkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command on a page, run in a new home, prints the output on the page."""

    def prepare(home: Path) -> None:
        with monkeypatch.context() as patch:
            patch.setenv("HOME", str(home))
            patch.delenv(HOME_VARIABLE)
            link(prepared, Paths.default())

    def run_python(args: list[str], *, errors: bool, env: dict[str, str], cwd: Path) -> str:
        monkeypatch.chdir(cwd)
        return forks.run(args, env=env, timeout=docs.RUN_SECONDS, merged=errors).stdout

    def start_python(args: list[str], *, env: dict[str, str], cwd: Path) -> Forked:
        monkeypatch.chdir(cwd)
        return forks.popen(args, env=env, merged=True)

    page = PAGES[name]
    forked = forks.fits([sys.executable, "-m", "devserver"], os.environ)
    before = prepare if name not in INSTALLS else None
    if forked:
        text = docs.rewritten(page, {"DEVSERVER_PORT": "0"}, run_python, start_python, before)
    else:
        text = docs.rewritten(page, {"DEVSERVER_PORT": "0"}, prepare=before)
    assert docs.normalised(text) == docs.normalised(page.read_text())


@pytest.mark.parametrize(
    ("heading", "record"),
    [
        ("snapshot list", Snapshot),
        ("binary list", VersionRow),
        ("doctor", DoctorFinding),
        ("schedule list", ScheduleRow),
    ],
)
def test_json_forms_are_described_key_by_key(heading: str, record: type) -> None:
    """The documented JSON keys are exactly those that the commands print."""
    text = (docs.ROOT / "docs" / "json.md").read_text()
    (section,) = re.findall(rf"(?ms)^## `{heading} --json`$(.*?)(?=^## )", text)
    keys = {key for key in re.findall(r"`([a-z0-9_]+)`", section) if key not in ("null", "ok", "warning", "error")}
    assert keys == {field.name for field in fields(record)}


def test_the_json_form_of_stuck_is_described_key_by_key() -> None:
    """The keys of its report and findings are documented exactly, and its page lists each kind."""
    report = StuckReport("default", datetime.now(timezone.utc), (FINDING,))
    shown = as_json(report, "127.0.0.1:7233")
    text = (docs.ROOT / "docs" / "json.md").read_text()
    (section,) = re.findall(r"(?ms)^## `stuck --json`$(.*?)(?=^## )", text)
    keys = set(re.findall(r"`([a-z_]+)`", section))
    of_errors = {"error", "message", "details"}
    assert keys - of_errors - {"no_worker"} == {*shown, *shown["findings"][0]}
    page = (docs.ROOT / "docs" / "stuck.md").read_text()
    assert re.findall(r"(?m)^\| `([a-z_]+)` \|", page) == list(KINDS)


def test_the_json_form_of_trace_is_described() -> None:
    """Every key of a run and of a step is documented."""
    run = asyncio.run(run_data(WorkflowRun("w", "r"), DataConverter.default))
    activity = Step("activity", "a", 1, "running", datetime.now(timezone.utc))
    step = asyncio.run(step_data(activity, DataConverter.default))
    text = (docs.ROOT / "docs" / "json.md").read_text()
    (section,) = re.findall(r"(?ms)^## `trace --json`$(.*?)(?=^## )", text)
    assert {*run, *step} - set(re.findall(r"`([a-z_]+)`", section)) == set()


def test_links_between_pages_lead_somewhere() -> None:
    """Every link leads to an existing file and heading."""
    missing = []
    for page in (docs.ROOT / "README.md", docs.ROOT / "CONTRIBUTING.md", *(docs.ROOT / "docs").glob("*.md")):
        for file, heading in LINK.findall(re.sub(r"(?ms)^```.*?^```", "", page.read_text())):
            target = page.parent / file if file else page
            if not target.exists() or (heading and heading not in _headings(target)):
                missing.append(f"{page.name}: {file}#{heading}")
    assert missing == []


def _headings(page: Path) -> list[str]:
    """Return the anchors of the headings."""
    found = re.findall(r"(?m)^#+ (.*)$", page.read_text())
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found]


def test_every_command_is_in_the_docs() -> None:
    """The page of commands has a heading for every command."""
    page = (docs.ROOT / "docs" / "commands.md").read_text()
    headings = {name for line in re.findall(r"(?m)^## (.*)$", page) for name in line.split(", ")}
    assert [command for command in COMMANDS if command not in headings] == []


def test_every_option_of_start_dev_is_in_the_table(real_binary: Path) -> None:
    """The page on moving lists the options of the executable's `server start-dev`, and of all its options those of
    the log.
    """
    words = [str(real_binary), "server", "start-dev", "--help"]
    text = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    options = re.findall(r"(?m)^ +(?:-\w, )?(--[a-z-]+) ", text.partition("\nFlags:\n")[2])
    page = (docs.ROOT / "docs" / "moving-from-start-dev.md").read_text()
    assert sorted(re.findall(r"(?m)^\| `(--[a-z-]+)`", page)) == sorted([*options, "--log-format", "--log-level"])


def test_the_example_scenario_is_in_the_docs() -> None:
    """The page on rehearsals contains the complete example, and describes every field of a scenario."""
    page = (docs.ROOT / "docs" / "rehearsal.md").read_text()
    example = (docs.ROOT / "examples" / "rehearsals" / "scale_up_bug.py").read_text()
    _, _, code = example.split('"""')
    assert f"```python{code.replace(chr(10) * 2, chr(10), 1)}```" in page
    mended = (docs.ROOT / "examples" / "rehearsals" / "ring_runbook.py").read_text()
    (mend,) = re.findall(r"(?s)```python\n(ring = .*?)```", page)
    assert textwrap.indent(mend, "    ") in mended
    rows = re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\|(.*?)\|", page)))
    assert [field.name for field in fields(Scenario) if field.name not in [*rows, "file"]] == []


def test_tables_list_all_parts_of_a_scenario() -> None:
    """Every moment, fault, drill and expectation has a row."""
    page = (docs.ROOT / "docs" / "rehearsal-words.md").read_text()
    for module in (faults, drills, expect):
        names = [name for name in module.__all__ if callable(getattr(module, name))]
        assert [name for name in names if f"| `{name}(" not in page] == []


@pytest.mark.parametrize("example", ["outage.py"])
def test_examples_run(example: str, installed: Executable) -> None:
    """An example of the library does what its page says."""
    done = subprocess.run(
        [sys.executable, str(docs.ROOT / "examples" / example)],
        env=os.environ.copy(),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.stdout == "the server is dead: True\nsignals seen: 2\n", done.stderr

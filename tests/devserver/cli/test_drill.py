"""`devserver drill`: one question about a user's workflow, with a person at the terminal and without."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from devserver.executables.models import Executable
from tests.conftest import Run, command, processes_of
from tests.helpers.terminal import Terminal
from tests.helpers.waiting import eventually

MODULE = """
from datetime import timedelta
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from devserver.rehearsal import ledger

@activity.defn
def add(node: str) -> str:
    ledger.effect("add", key=node)
    return node

@workflow.defn
class Grow:
    @workflow.run
    async def run(self, first: str) -> list[str]:
        how = {"start_to_close_timeout": timedelta(seconds=60),
               "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200), backoff_coefficient=1.0)}
        done = []
        for node in (first, "node-2", "node-3"):
            done.append(await workflow.execute_activity(add, node, **how))
        return done

@workflow.defn
class Once:
    @workflow.run
    async def run(self) -> str:
        return await workflow.execute_activity(
            add, "node-1", start_to_close_timeout=timedelta(seconds=60), retry_policy=RetryPolicy(maximum_attempts=1)
        )
"""
BY_HAND = """
import os
from pathlib import Path
from devserver.rehearsal import ledger
done = {effect.key for effect in ledger.read(Path(os.environ[ledger.FILE]))}
for node in ("node-1", "node-2", "node-3"):
    if node not in done:
        ledger.effect("add", key=node)
"""


@pytest.fixture
def module(installed: Executable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module with a workflow, in the current folder."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    Path("grow.py").write_text(MODULE)
    return Path("grow.py")


def answered(devserver: Run, *words: str, code: int = 0) -> dict[str, Any]:
    """The answer of a drill without a person."""
    done = devserver("drill", *words, "--yes", "--json", limit=110)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_person_pauses_and_resumes(module: Path, home: Path) -> None:
    """Each step is explained, Enter does it, and the history is the evidence. Nothing is left."""
    with Terminal(command("drill", "pause", "grow.py:Grow", "--first", "node-1"), columns=120) as terminal:
        terminal.shows("Enter pauses it for you")
        assert "Question: how do I pause Grow" in terminal.seen
        assert "Its activity add waits for you." in terminal.seen
        terminal.send("\r")
        terminal.shows("Enter resumes it for you")
        assert "It is paused: the attempt that runs may finish" in terminal.seen
        terminal.send("\r")
        shown = terminal.rest()
        assert terminal.code() == 0
    assert "you pause the workflow, and resume it: nothing started while it was paused" in shown
    evidence = shown.partition("the history shows:")[2]
    assert evidence.index("WorkflowExecutionPaused") < evidence.index("WorkflowExecutionUnpaused")
    eventually(lambda: not processes_of(home))


def test_a_person_stops_it_themselves(module: Path, devserver: Run) -> None:
    """The drill sees that the workflow was cancelled by hand, with the command that it shows."""
    with Terminal(command("drill", "stop", "grow.py:Grow", "--first", "node-1"), columns=200) as terminal:
        terminal.shows("Enter cancels it for you")
        shown = re.search(r"devserver (workflow cancel \S+ --name \S+)", terminal.seen)
        assert shown is not None, terminal.seen
        done = devserver(*shown[1].split())
        assert done.returncode == 0, done.stderr
        seen = terminal.rest()
        assert terminal.code() == 0
    assert "the runbook is stopped (cancelled): it is canceled" in seen
    assert "WorkflowExecutionCancelRequested" in seen
    assert "drill-" not in devserver("list").stdout


def test_detecting(module: Path, devserver: Run) -> None:
    """The activity fails until `devserver stuck` shows it, and then the workflow completes."""
    found = answered(devserver, "detect", "grow.py:Grow", "--first", "node-1")
    assert (found["question"], found["verdict"], found["status"]) == ("detect", "pass", "completed")
    assert found["answers"][0]["name"] == "an activity fails, and devserver stuck reports it"
    assert found["answers"][0]["evidence"].startswith("activity_retrying reported after ")
    assert found["effects"] == ["add node-1", "add node-2", "add node-3"]


def test_what_is_not_retried_is_not_detected(module: Path, devserver: Run) -> None:
    """Then the workflow fails at once, and the drill says where to look."""
    found = answered(devserver, "detect", "grow.py:Once", code=1)
    assert found["status"] == "failed"
    assert "look at failed workflows" in found["answers"][0]["evidence"]


def test_handing_over(module: Path, devserver: Run) -> None:
    """The script does the rest, and nothing is done twice. Without a script, nothing starts."""
    Path("by_hand.py").write_text(BY_HAND)
    words = ("handover", "grow.py:Grow", "--first", "node-1")
    found = answered(devserver, *words, "--script", f"{sys.executable} by_hand.py")
    assert found["effects"] == ["add node-1", "add node-2", "add node-3"]
    assert found["status"] == "canceled"
    missing = devserver("drill", *words, "--yes")
    assert missing.returncode == 2
    assert "a handover needs the script" in missing.stderr
    broken = devserver("drill", *words, "--script", "python 'by_hand.py", "--yes")
    assert broken.returncode == 2
    assert '--script: "python \'by_hand.py" is not a command: No closing quotation' in broken.stderr


def test_without_a_terminal_it_needs_yes(module: Path, devserver: Run) -> None:
    """Nobody could press Enter."""
    done = devserver("drill", "pause", "grow.py:Grow", "--first", "x", answer="")
    assert done.returncode == 2
    assert done.stderr == "error: cannot wait for Enter: the input is not a terminal\nhint: add --yes\n"

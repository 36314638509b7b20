"""Rehearsals in pytest: the fixture, and collected files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import TWO, Suite

pytestmark = pytest.mark.usefixtures("installed")

RUNBOOK = """
from datetime import timedelta
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from devserver.rehearsal import ledger

@activity.defn
def add(node: str) -> None:
    ledger.effect("add", key=node)

@workflow.defn
class Grow:
    @workflow.run
    async def run(self) -> str:
        soon = RetryPolicy(initial_interval=timedelta(milliseconds=50))
        await workflow.execute_activity(add, "a", start_to_close_timeout=timedelta(seconds=1), retry_policy=soon)
        return "grown"
"""

SCENARIOS = """
from devserver.rehearsal import Scenario, at, expect, faults

GROW = {"runbook": "runbook", "workflow": "Grow", "expect": [expect.completes(), expect.exactly_once("add")]}
survives = Scenario("the worker is frozen", plan=[at.activity_starts("add").do(faults.freeze_worker(0.1))], **GROW)
acts_twice = Scenario("an answer is lost", plan=[at.activity_completes("add").do(faults.lose_answer())], **GROW)
never = Scenario("nothing happens", plan=[at.activity_starts("add", nth=9).do(faults.kill_worker())], **GROW)
"""


@pytest.fixture
def suite(own_suite: Suite) -> Suite:
    """A suite that starts its own server."""
    return own_suite


@pytest.fixture
def runbook(suite: Suite) -> Suite:
    """A suite with a runbook and three scenarios: one passes, one fails, one has a fault that never happens."""
    suite.file("runbook.py", RUNBOOK)
    suite.file("scenarios.py", SCENARIOS)
    suite.ways = TWO
    return suite


@pytest.fixture
def collected(suite: Suite) -> Suite:
    """The runbook's scenarios as a file that pytest collects."""
    suite.file("runbook.py", RUNBOOK)
    suite.file("rehearsal_grow.py", SCENARIOS)
    return suite


def test_rehearsals_in_tests(runbook: Suite) -> None:
    """A test passes with its rehearsal and can read the result, also in an event loop; otherwise it fails.

    The failure says which effect happened twice and when, or which fault never happened, without the plugin's frames.
    A file, relative to the test's folder, runs all of its scenarios and reports each that does not pass.
    """
    runbook.tests(
        """
        import scenarios

        def test_survives(temporal_rehearsal):
            result = temporal_rehearsal(scenarios.survives)
            assert result.verdict == "pass"
            assert [effect.key for effect in result.run.effects] == ["a"]

        @pytest.mark.asyncio
        async def test_in_a_loop(temporal_rehearsal):
            assert temporal_rehearsal(scenarios.survives).verdict == "pass"

        def test_twice(temporal_rehearsal):
            temporal_rehearsal(scenarios.acts_twice)

        def test_never(temporal_rehearsal):
            temporal_rehearsal(scenarios.never)

        def test_judged_by_the_test(temporal_rehearsal):
            assert temporal_rehearsal(scenarios.acts_twice, must_pass=False).verdict == "fail"

        def test_file(temporal_rehearsal):
            temporal_rehearsal("scenarios.py")
        """
    )
    result = runbook.run()
    result.assert_outcomes(passed=3, failed=3)
    for title, lines in FAILURES.items():
        result.stdout.fnmatch_lines([f"*_ {title} _*", *lines])
    result.stdout.no_fnmatch_line("*Traceback*")


TWICE = [
    "the rehearsal 'an answer is lost': fail",
    "  fail: add exactly once: add a happened 2 times: at * s (attempt 1), * s (attempt 2)",
]
NEVER = ["the rehearsal 'nothing happens': unknown", "  never: 9th time that add starts*"]
FAILURES = {"test_twice": TWICE, "test_never": NEVER, "test_file": [*TWICE, *NEVER]}


def test_files_are_collected(collected: Suite) -> None:
    """Every scenario of a file called rehearsal_*.py is a test."""
    result = collected.run()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines_random(
        ["FAILED rehearsal_grow.py::an answer is lost*", "FAILED rehearsal_grow.py::nothing happens*"]
    )
    collected.run("rehearsal_grow.py::the worker is frozen").assert_outcomes(passed=1)


def test_other_file_names(collected: Suite) -> None:
    """The ini key sets the names of files to collect."""
    collected.file("grow.py", SCENARIOS)
    collected.ini("temporal_rehearsal_files = grow.py")
    result = collected.run("--collect-only", "-q")
    result.stdout.fnmatch_lines(["grow.py::the worker is frozen"])
    result.stdout.no_fnmatch_line("rehearsal_grow.py*")


def test_a_report_is_written(collected: Suite) -> None:
    """`--temporal-report` gets a folder for each rehearsal."""
    collected.run("--temporal-report", "reports", "rehearsal_grow.py::an answer is lost").assert_outcomes(failed=1)
    (page,) = (collected.path / "reports").rglob("*.html")
    assert "an answer is lost" in page.read_text()
    (data,) = Path(page.parent).glob("*.json")
    assert json.loads(data.read_text())["results"][0]["verdict"] == "fail"


def test_external_server_is_not_broken(collected: Suite) -> None:
    """Rehearsals are skipped on an external server, with that reason."""
    result = collected.run("--temporal-address", "127.0.0.1:1")
    result.assert_outcomes(skipped=3)
    result.stdout.fnmatch_lines(["*rehearsals need the managed backend: the external backend has no server to break*"])


def test_a_file_that_does_not_load(collected: Suite) -> None:
    """The error is the file's own, with its line."""
    collected.file("rehearsal_bad.py", "from devserver.rehearsal import Scenario, at\n\nat.elapsed(-1)\n")
    result = collected.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*rehearsal_bad.py: at.elapsed takes seconds (0 or more) or a timedelta, not -1",
            "*rehearsal_bad.py:3: at.elapsed(-1)",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")

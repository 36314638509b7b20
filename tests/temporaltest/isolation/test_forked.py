"""Tests in forked child processes, as pytest-forked runs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import processes_of
from tests.helpers.waiting import eventually

from ..conftest import ALONE, TWO, Suite
from ..workers.test_workers import GREET

FORKING = """
import os
import sys

from _pytest.runner import runtestprotocol
from pytest import TestReport


def pytest_addoption(parser):
    parser.addoption("--forked", action="store_true")


def pytest_runtest_protocol(item):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = int(any(report.failed for report in runtestprotocol(item, log=False)))
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    report = TestReport(item.nodeid, item.location, {}, "failed" if code else "passed", f"ended with {code}", "call")
    item.ihook.pytest_runtest_logreport(report=report)
    return True
"""

TESTS = (
    GREET
    + """
import os


@pytest.mark.parametrize("number", range(4))
def test_greets(temporal, number):
    temporal.worker(workflows=[Greet], activities=[compose])
    assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"
    if number == 1:
        os._exit(3)
"""
)


@pytest.mark.parametrize("ways", [ALONE, TWO], ids=["no-xdist", "n2"])
def test_forked_children(ways: tuple[str, ...], own_suite: Suite, home: Path) -> None:
    """Every test has the server and works; one that exits its process fails alone, and nothing is left."""
    own_suite.file("conftest.py", FORKING)
    own_suite.tests(TESTS)
    result = own_suite.run("-p", "no:pytest_forked", "--forked", ways=ways)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*ended with 3*"])
    assert eventually(lambda: not processes_of(home))

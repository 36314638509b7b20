"""The event loop in which the plugin's clients and workers run, beside libraries that replace parts of asyncio."""

from __future__ import annotations

import pytest

from ..conftest import Suite
from .test_workers import GREET

TRIO = (
    "import trio_asyncio\n"
    + GREET
    + """
from temporalio.worker import Worker


def test_blocking(temporal, temporal_outage):
    temporal.worker(workflows=[Greet], activities=[compose])
    with temporal_outage.slowed(1):
        assert temporal.execute(Greet.run, "Ada") == "Hello, Ada"


@pytest.mark.asyncio
async def test_async(temporal_env):
    async with Worker(temporal_env.client, task_queue="q", workflows=[Greet], activities=[compose]):
        assert await temporal_env.client.execute_workflow(Greet.run, "Ada", id="g", task_queue="q") == "Hello, Ada"
"""
)


def test_trio_asyncio(suite: Suite) -> None:
    """`import trio_asyncio`, which replaces the loops of asyncio in the whole process, changes nothing."""
    pytest.importorskip("trio_asyncio")
    suite.tests(TRIO)
    suite.passes(passed=2, fresh=True)


def test_a_loop_that_does_not_start(suite: Suite) -> None:
    """The failure names the loop, and the library that replaces parts of asyncio; not the server."""
    suite.file("nest_asyncio.py", "import asyncio\nasyncio.SelectorEventLoop = lambda: 1 / 0\n")
    suite.file("conftest.py", "import nest_asyncio\n")
    suite.tests("def test_it(temporal):\n    pass\n")
    result = suite.run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        "*the event loop of the plugin did not start (ZeroDivisionError('division by zero')); these modules, which are "
        "loaded, replace parts of asyncio or threading: *nest_asyncio"
    )

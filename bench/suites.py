"""The pytest plugin: whole suites as people write them today against the same tests on the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from .table import Row

COMMON = """
import uuid
import pytest
from temporalio import workflow

@workflow.defn
class Empty:
    @workflow.run
    async def run(self) -> None:
        pass
"""

PLUGIN = (
    COMMON
    + """
@pytest.mark.parametrize("number", range({count}))
def test_empty(temporal, number):
    temporal.worker(workflows=[Empty])
    temporal.execute(Empty.run)
"""
)

TODAY = (
    COMMON
    + """
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

@pytest_asyncio.fixture(scope="{scope}", loop_scope="{scope}")
async def environment():
    async with await WorkflowEnvironment.start_local(dev_server_existing_path={executable!r}) as environment:
        yield environment

@pytest.mark.asyncio(loop_scope="{scope}")
@pytest.mark.parametrize("number", range({count}))
async def test_empty(environment, number):
    queue = str(uuid.uuid4())
    async with Worker(environment.client, task_queue=queue, workflows=[Empty]):
        await environment.client.execute_workflow(Empty.run, id=queue, task_queue=queue)
"""
)

NOTHING = """
import pytest

@pytest.mark.parametrize("number", range(100))
def test_nothing(number):
    pass
"""

FEW, MANY = 30, 200


def seconds(text: str, *arguments: str) -> float:
    """Seconds of a whole pytest run of one test file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_bench.py").write_text(text)
        (Path(folder) / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
        begin = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
            cwd=folder,
            env={**os.environ, "CI": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        return time.perf_counter() - begin


def measure(executable: Path, repeat: int) -> Iterator[Row]:
    """Each row times whole runs, which include one-time costs."""
    few = PLUGIN.format(count=FEW)
    ours = [seconds(few) for _ in range(repeat)]
    replayless = [seconds(few, "--temporal-replay=off") for _ in range(repeat)]
    each = [seconds(_today("function", FEW, executable)) for _ in range(repeat)]
    once = [seconds(_today("session", FEW, executable)) for _ in range(repeat)]
    yield Row(f"{FEW} tests, the same work (no replay)", replayless, each, "start_local per test", aim=5)
    yield Row(f"{FEW} tests, the same work (no replay)", replayless, once, "start_local per session", aim=1)
    yield Row(f"{FEW} tests, each replayed as well", ours, each, "start_local per test")
    yield Row(f"{FEW} tests, each replayed as well", ours, once, "start_local per session", aim=1)
    for scope, stock in (("function", each), ("session", once)):
        adopted = [seconds(_today(scope, FEW, executable), "--temporal-adopt=on") for _ in range(repeat)]
        where = "each test" if scope == "function" else "a fixture of the session"
        name = f"{FEW} tests with start_local in {where}, unchanged"
        yield Row(name, adopted, stock, "without --temporal-adopt", aim=1)
    shared, own = (
        [seconds(PLUGIN.format(count=MANY), "-n", "2")],
        [seconds(_today("session", MANY, executable), "-n", "2")],
    )
    yield Row(f"{MANY} tests, -n 2", shared, own, "a server per worker", aim=1)
    times = [(seconds(NOTHING), seconds(NOTHING, "-p", "no:temporaltest")) for _ in range(repeat * 3)]
    yield Row(
        "100 tests that do not use it", [a for a, _ in times], [b for _, b in times], "pytest without", at_most=1.1
    )


def _today(scope: str, count: int, executable: Path) -> str:
    return TODAY.format(scope=scope, count=count, executable=str(executable))

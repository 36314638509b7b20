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

NOTE_FIRST = """
import time

def pytest_runtest_logreport(report):
    if report.when == "call":
        open("passed", "w").write(repr(time.time()))
"""


def seconds(text: str, *arguments: str) -> float:
    """Seconds of a whole pytest run of one test file."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        _run(Path(folder), text, *arguments)
        return time.perf_counter() - begin


def seconds_to_first(text: str) -> float:
    """Seconds from the start of pytest until a first test has passed."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "conftest.py").write_text(NOTE_FIRST)
        begin = time.time()
        _run(Path(folder), text)
        return float((Path(folder) / "passed").read_text()) - begin


def _run(folder: Path, text: str, *arguments: str) -> None:
    (folder / "test_bench.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
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


def measure(executable: Path, repeat: int) -> Iterator[Row]:
    """Each row times whole runs, which include one-time costs."""
    few = PLUGIN.format(count=FEW)
    ours = [seconds(few) for _ in range(repeat)]
    replayless = [seconds(few, "--temporal-replay=off") for _ in range(repeat)]
    each = [seconds(today("function", FEW, executable)) for _ in range(repeat)]
    once = [seconds(today("session", FEW, executable)) for _ in range(repeat)]
    yield Row(f"{FEW} tests, the same work (no replay)", replayless, each, "start_local per test", aim=5)
    yield Row(f"{FEW} tests, the same work (no replay)", replayless, once, "start_local per session", aim=1)
    yield Row(f"{FEW} tests, each replayed as well", ours, each, "start_local per test")
    yield Row(f"{FEW} tests, each replayed as well", ours, once, "start_local per session", aim=1)
    first = [seconds_to_first(PLUGIN.format(count=1)) for _ in range(repeat)]
    first_today = [seconds_to_first(today("session", 1, executable)) for _ in range(repeat)]
    yield Row("from the start of pytest to the first test's end", first, first_today, "start_local per session", aim=1)
    for scope, stock in (("function", each), ("session", once)):
        adopted = [seconds(today(scope, FEW, executable), "--temporal-adopt=on") for _ in range(repeat)]
        where = "each test" if scope == "function" else "a fixture of the session"
        name = f"{FEW} tests with start_local in {where}, unchanged"
        yield Row(name, adopted, stock, "without --temporal-adopt", aim=1)
    shared, own = (
        [seconds(PLUGIN.format(count=MANY), "-n", "2")],
        [seconds(today("session", MANY, executable), "-n", "2")],
    )
    yield Row(f"{MANY} tests, -n 2", shared, own, "a server per worker", aim=1)
    times = [(seconds(NOTHING), seconds(NOTHING, "-p", "no:temporaltest")) for _ in range(repeat * 3)]
    yield Row(
        "100 tests that do not use it", [a for a, _ in times], [b for _, b in times], "pytest without", at_most=1.03
    )


def today(scope: str, count: int, executable: Path) -> str:
    """The same tests with one `start_local` for each `scope`."""
    return TODAY.format(scope=scope, count=count, executable=str(executable))
